/** Determines the subject of an alert, by the table of vocabulary.yaml. Pure. */
import { exprOfLink, hasWord, nameWords } from "./alert-words.ts";
import { type IgnoredLabels, isOfKubernetes, ownLabels } from "./exporter-labels.ts";
import {
  foldLabel,
  isMeaningful,
  isOfOneRun,
  isVarying,
  VOCABULARY,
  workloadOfJob,
  workloadOfPod,
  workloadOfReplicaSet,
} from "./vocabulary.ts";

type Labels = Readonly<Record<string, string>>;

export type Subject = {
  /** Kind of the object: a Kubernetes kind in lower case, `workload` (of any kind) or `host`; null: no label names an object. */
  kind: string | null;
  /** The value of the label that names it; the alert's name where no label does. */
  name: string;
  /** The same for all its replicas and runs; the fingerprint is made with it. */
  workload: string;
  /** The label that names it. */
  label: string | null;
  /** null: no label gives it, or the object is cluster-scoped. */
  namespace: string | null;
  cluster: string | null;
  /** The labels that describe the subject, under their own names: `exported_pod` is `pod`. */
  labels: Record<string, string>;
  ignored: IgnoredLabels[];
  /** Further distinguishing values: which exporter reports, the address that a probe asks, the workload of a component. */
  beside: Record<string, string>;
};

const CLUSTER_SCOPED = new Set(VOCABULARY.cluster_scoped);
const CALLED = /^(dst|destination)_/;

/** Maps labels by their folded names; the vocabulary's own spelling wins over others that fold to the same name. */
function folded(labels: Labels): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of Object.entries(labels)) {
    const key = foldLabel(name);
    if (key === name || !found.has(key)) found.set(key, value);
  }
  return found;
}

const first = (labels: ReadonlyMap<string, string>, names: readonly string[]) =>
  names.find((name) => labels.has(name));

const KINDS = new Set(VOCABULARY.subject.map((one) => one.kind));

const isMachine = ({ kind }: { kind: string }) => kind === "node" || kind === "host";

/** Returns the order in which to try labels: for an alert about a machine, machine labels come before those of services. */
function orderFor(alert_name: string, alert_type: string): (typeof VOCABULARY)["subject"] {
  const words = nameWords(alert_name);
  const machine =
    alert_type === "k8s_node_failure" || VOCABULARY.machine_words.some((word) => hasWord(words, word));
  if (!machine) return VOCABULARY.subject;
  const at = VOCABULARY.subject.findIndex(({ kind }) => kind === "node");
  const [before, after] = [VOCABULARY.subject.slice(0, at), VOCABULARY.subject.slice(at)];
  return [...before, ...after.filter(isMachine), ...after.filter((one) => !isMachine(one))];
}

type Named = { kind: string; name: string; label: string };

function subjectIn(
  labels: ReadonlyMap<string, string>,
  alert_name: string,
  alert_type = "custom",
): Named | undefined {
  for (const { labels: names, kind, kind_label } of orderFor(alert_name, alert_type)) {
    const label = names.find((name) => {
      const value = labels.get(name);
      if (value === undefined || isOfOneRun(name, value)) return false;
      // A URL is not a workload's name.
      return kind !== "workload" || !value.includes("://");
    });
    if (label === undefined) continue;
    const said = labels.get(first(labels, kind_label) ?? "")?.toLowerCase() ?? "";
    return { kind: KINDS.has(said) ? said : kind, name: labels.get(label) ?? "", label };
  }
  return undefined;
}

function workloadOf({ kind, name }: Named): string {
  if (kind === "pod") return workloadOfPod(name);
  if (kind === "job") return workloadOfJob(name);
  if (kind === "replicaset") return workloadOfReplicaSet(name);
  return name;
}

/**
 * Returns the subject of an alert: the first label of the vocabulary with a meaningful value, ignoring labels that a scraper or
 * an exporter put on about itself. `expr` is the query expression of the alert, where it is known.
 */
export function subjectOf(
  labels: Labels,
  {
    alert_name,
    alert_type = "custom",
    expr,
  }: { alert_name: string; alert_type?: string; expr?: string | undefined },
): Subject {
  const all = folded(labels);
  const silent = [...all.keys()].filter((name) => !isMeaningful(name, all.get(name)));
  for (const name of silent) all.delete(name);
  const names = (labels: ReadonlyMap<string, string>) =>
    subjectIn(labels, alert_name, alert_type) !== undefined;
  const renames = Object.keys(labels).some((name) => name.startsWith("exported_"));
  const { labels: kept, ignored, reported, asked } = ownLabels(all, { alert_name, expr }, { names, renames });
  const named = subjectIn(kept, alert_name, alert_type);
  const at = (list: readonly string[]) => kept.get(first(kept, list) ?? "") ?? null;
  const kind = named?.kind ?? null;
  const isCalled = named !== undefined && CALLED.test(named.label);
  const place = at(isCalled ? VOCABULARY.namespace_of_called : VOCABULARY.namespace);
  return {
    kind,
    name: named?.name ?? alert_name,
    workload: named === undefined ? (kept.get("job") ?? alert_name) : workloadOf(named),
    label: named?.label ?? null,
    namespace: kind !== null && CLUSTER_SCOPED.has(kind) ? null : place,
    cluster: at(VOCABULARY.cluster),
    labels: Object.fromEntries(kept),
    ignored: [
      ...(silent.length === 0 ? [] : [{ labels: silent, because: "the value is a placeholder" }]),
      ...ignored,
    ],
    beside: {
      ...(named === undefined ? reported : {}),
      ...(asked === undefined || named?.label === "instance" ? {} : { instance: asked }),
      ...besideComponent(named, kept, alert_name),
    },
  };
}

/** Returns which workload of a component the alert is about, where a label gives it: a component may be several workloads. */
function besideComponent(named: Named | undefined, labels: ReadonlyMap<string, string>, alert_name: string) {
  if (named?.label !== "component") return {};
  const others = new Map([...labels].filter(([name]) => name !== "component"));
  const other = subjectIn(others, alert_name);
  if (other === undefined || other.kind === "workload" || isMachine(other)) return {};
  return { object: workloadOf(other) };
}

/**
 * Returns what distinguishes alerts of one name about one workload, such as `slo`: all further labels except those that vary
 * within the workload. Sorted by name.
 */
export function tellingLabels(subject: Subject, labels: Labels, alert_type: string): [string, string][] {
  const raw = new Map([...folded(labels)].filter(([name, value]) => isMeaningful(name, value)));
  const replicated =
    subject.kind !== null && !isMachine({ kind: subject.kind }) && isOfKubernetes(raw.keys());
  const identity = new Set([
    "alertname",
    ...VOCABULARY.cluster,
    ...(subject.label === null ? [] : [subject.label]),
  ]);
  const namespaces = new Set([...VOCABULARY.namespace, ...VOCABULARY.namespace_of_called]);
  const telling = Object.entries(subject.labels).filter(
    ([name, value]) =>
      !identity.has(name) &&
      !namespaces.has(name) &&
      !isVarying(name, alert_type, replicated) &&
      !isOfOneRun(name, value),
  );
  const all = { ...Object.fromEntries(telling), ...subject.beside };
  // A namespace that may be the scraper's own still distinguishes alerts: it is the same for all alerts of one sender.
  const elsewhere = first(raw, VOCABULARY.namespace);
  const scoped = subject.kind !== null && CLUSTER_SCOPED.has(subject.kind);
  if (subject.namespace === null && !scoped && elsewhere !== undefined)
    all[`scraper_${elsewhere}`] = raw.get(elsewhere) ?? "";
  return Object.entries(all).sort(([one], [other]) => (one < other ? -1 : 1));
}

const found = new WeakMap<Labels, Subject>();

/** Returns `subjectOf` an alert, cached by its labels: every stage asks, and a stored alert no longer has its `expr`. */
export function subjectOfAlert(alert: {
  labels: Labels;
  alert_name: string;
  alert_type?: string;
  generator_url?: string | null;
  expr?: string | undefined;
}): Subject {
  const before = found.get(alert.labels);
  if (before !== undefined) return before;
  const subject = subjectOf(alert.labels, {
    ...alert,
    expr: alert.expr ?? exprOfLink(alert.generator_url ?? null),
  });
  found.set(alert.labels, subject);
  return subject;
}

/** Returns the subject's name for people: for pods and replica sets that of their workload. */
export const targetNameOf = ({ kind, name, workload }: Subject): string =>
  kind === "pod" || kind === "replicaset" ? workload : name;

/** Returns whether any label names the alert's subject. */
export const namesSubject = (labels: Labels, alert_name: string): boolean =>
  subjectOf(labels, { alert_name }).label !== null;
