/** Whom an alert is about, by the table of vocabulary.yaml. Pure. */
import { exprOfLink, hasWord, metricsOf, wordsOf } from "./alert-words.ts";
import {
  type Exporter,
  exporterNamed,
  foldLabel,
  isNamedIn,
  isVarying,
  says,
  VOCABULARY,
  workloadOfJob,
  workloadOfPod,
  workloadOfReplicaSet,
} from "./vocabulary.ts";

type Labels = Readonly<Record<string, string>>;

/** Labels that say nothing of what the alert is about, and why. */
export type IgnoredLabels = { labels: string[]; because: string };

export type Subject = {
  /** Of the object: a Kubernetes kind in lower case, `workload` (of whatever kind) or `host`; null: no label names one. */
  kind: string | null;
  /** As its label has it; the alert's name where no label names anything. */
  name: string;
  /** The same for all replicas and runs of it: what the fingerprint is made with. */
  workload: string;
  /** The label that names it. */
  label: string | null;
  /** null: nothing says it, or the object is in none. */
  namespace: string | null;
  cluster: string | null;
  /** The labels that are about the subject, under their own names: `exported_pod` is `pod`. */
  labels: Record<string, string>;
  ignored: IgnoredLabels[];
};

const EXPORTED = "exported_";
const SCRAPER = new Set(VOCABULARY.scraper_labels);
const CLUSTER_SCOPED = new Set(VOCABULARY.cluster_scoped);
/** Labels of a scraper that name the program: whose value tells who reports, the most telling first. */
const NAMING = ["job", "service", "app_kubernetes_io_name", "app", "k8s_app", "container", "pod"];
const OF_KUBERNETES = new Set([
  ...VOCABULARY.namespace,
  ...VOCABULARY.subject
    .filter(({ kind }) => !["workload", "host", "node"].includes(kind))
    .flatMap((one) => one.labels),
  "container",
  "endpoint",
]);

/** Labels by their folded names, those of the vocabulary's own spelling before others that fold to the same. */
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

/** Whether the alert is about the exporter itself, or about being scraped. */
function isAbout(exporter: Exporter, alert_name: string, expr: string | undefined): boolean {
  const words = wordsOf(alert_name);
  const scraping = VOCABULARY.about_scraping.filter(
    (word) => exporter.instance !== "probed" || !word.startsWith("target"),
  );
  if (scraping.some((word) => hasWord(words, word)) || isNamedIn(exporter, alert_name)) return true;
  const metrics = metricsOf(expr ?? "").filter((metric) => metric.includes("_") || metric === "up");
  return metrics.length > 0 && metrics.every((metric) => metric === "up" || metric.startsWith("scrape_"));
}

type Kept = { labels: Map<string, string>; ignored: IgnoredLabels[] };

/** `exported_X` is what the series says of X; then what the scraper says beside it is not about the subject. */
function promoted(labels: ReadonlyMap<string, string>): Kept | undefined {
  const own = [...labels.keys()].filter(
    (name) =>
      name.startsWith(EXPORTED) &&
      (SCRAPER.has(name.slice(EXPORTED.length)) || isSubjectLabel(name.slice(EXPORTED.length))),
  );
  if (own.length === 0) return undefined;
  const kept = new Map([...labels].filter(([name]) => !SCRAPER.has(name) && !own.includes(name)));
  for (const name of own) kept.set(name.slice(EXPORTED.length), labels.get(name) ?? "");
  const dropped = [...labels.keys()].filter((name) => SCRAPER.has(name));
  const because = `${own.map((name) => `\`${name}\``).join(", ")} ${own.length === 1 ? "is" : "are"} the subject's own`;
  return { labels: kept, ignored: dropped.length === 0 ? [] : [{ labels: dropped, because }] };
}

const KINDS = new Set(VOCABULARY.subject.map((one) => one.kind));
const SUBJECT_LABELS = new Set(VOCABULARY.subject.flatMap((one) => one.labels));
const isSubjectLabel = (name: string) => SUBJECT_LABELS.has(name);

/** Who reports: by what its job or service is called, else by its container or pod where it was scraped. */
function reporterOf(
  labels: ReadonlyMap<string, string>,
): { exporter: Exporter; by: string; value: string } | undefined {
  const scraped = labels.has("instance") || labels.has("endpoint") || labels.has("job");
  for (const by of NAMING) {
    const value = labels.get(by);
    // Aggregated by pod and container, nothing says who scraped it: these are then the subject's.
    if (value === undefined || ((by === "container" || by === "pod") && !scraped)) continue;
    const exporter = exporterNamed(value);
    if (exporter !== undefined) return { exporter, by, value };
  }
  return undefined;
}

/** The labels without those that the exporter which reports has put on its series. */
function withoutReporter(
  labels: ReadonlyMap<string, string>,
  alert_name: string,
  expr: string | undefined,
): Kept {
  const all = { labels: new Map(labels), ignored: [] };
  const reporter = reporterOf(labels);
  if (reporter === undefined || isAbout(reporter.exporter, alert_name, expr)) return all;
  const { exporter, by, value } = reporter;
  const words = wordsOf(alert_name);
  const aboutPods = VOCABULARY.about_pods.some((word) => hasWord(words, word));
  const isOwnPod = (text: string | undefined) => {
    const named = text === undefined ? undefined : exporterNamed(text);
    if (named === undefined) return false;
    return exporter.pods === "self" || (named === exporter && !aboutPods);
  };
  const ownPod = ["pod", "pod_name", "kubernetes_pod_name"].some((name) => isOwnPod(labels.get(name)));
  const inKubernetes = [...labels.keys()].some((name) => OF_KUBERNETES.has(name));
  const dropped = [...SCRAPER].filter((name) => {
    const text = labels.get(name);
    if (text === undefined) return false;
    if (name.includes("namespace")) return exporter.namespace === "self" && (ownPod || !labels.has("pod"));
    if (name === "instance")
      return exporter.instance === "self" && (inKubernetes || exporter.pods === "subject");
    if (name === "endpoint") return true;
    if (name.includes("pod")) return isOwnPod(text);
    if (name.includes("container")) return ownPod || isOwnPod(text);
    return exporterNamed(text) !== undefined;
  });
  const kept = new Map([...labels].filter(([name]) => !dropped.includes(name)));
  if (exporter.alone && subjectIn(kept, alert_name) === undefined) return all;
  const because = `the alert is reported by ${workloadOfPod(value)} (label \`${by}\`), and not about it`;
  return { labels: kept, ignored: dropped.length === 0 ? [] : [{ labels: dropped, because }] };
}

const isMachine = ({ kind }: { kind: string }) => kind === "node" || kind === "host";

/** The order in which labels are asked: of an alert about a machine its own come before those of services. */
function orderFor(alert_name: string, alert_type: string): (typeof VOCABULARY)["subject"] {
  const words = wordsOf(alert_name);
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
    const label = first(labels, names);
    if (label === undefined) continue;
    const said = kind_label === undefined ? undefined : labels.get(kind_label)?.toLowerCase();
    return {
      kind: said !== undefined && KINDS.has(said) ? said : kind,
      name: labels.get(label) ?? "",
      label,
    };
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
 * Whom an alert is about: the first label of the vocabulary that says something, where what a scraper or an
 * exporter says of itself does not count. `expr` is the expression that fires it, where that is known.
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
  const silent = [...all.keys()].filter((name) => !says(name, all.get(name)));
  for (const name of silent) all.delete(name);
  const { labels: kept, ignored } = promoted(all) ?? withoutReporter(all, alert_name, expr);
  const named = subjectIn(kept, alert_name, alert_type);
  const at = (names: readonly string[]) => kept.get(first(kept, names) ?? "") ?? null;
  const kind = named?.kind ?? null;
  return {
    kind,
    name: named?.name ?? alert_name,
    workload: named === undefined ? (kept.get("job") ?? alert_name) : workloadOf(named),
    label: named?.label ?? null,
    namespace: kind !== null && CLUSTER_SCOPED.has(kind) ? null : at(VOCABULARY.namespace),
    cluster: at(VOCABULARY.cluster),
    labels: Object.fromEntries(kept),
    ignored: [
      ...(silent.length === 0 ? [] : [{ labels: silent, because: "the value says nothing" }]),
      ...ignored,
    ],
  };
}

/**
 * What tells alerts of one name about one workload apart, as `slo` does: all further labels but those that vary
 * within the workload. Sorted by name.
 */
export function tellingLabels(subject: Subject, labels: Labels, alert_type: string): [string, string][] {
  const raw = folded(labels);
  const replicated =
    subject.kind !== null &&
    !isMachine({ kind: subject.kind }) &&
    [...raw.keys()].some((name) => OF_KUBERNETES.has(name));
  const identity = new Set([
    "alertname",
    ...VOCABULARY.cluster,
    ...(subject.label === null ? [] : [subject.label]),
  ]);
  const namespaces = new Set(VOCABULARY.namespace);
  const own = { ...subject.labels };
  // A namespace that may be the scraper's still tells alerts apart: it is the same for all of one sender.
  const elsewhere = first(raw, VOCABULARY.namespace);
  const scoped = subject.kind !== null && CLUSTER_SCOPED.has(subject.kind);
  if (subject.namespace === null && !scoped && elsewhere !== undefined)
    own[`scraper_${elsewhere}`] = raw.get(elsewhere) ?? "";
  return Object.entries(own)
    .filter(
      ([name]) => !identity.has(name) && !namespaces.has(name) && !isVarying(name, alert_type, replicated),
    )
    .sort(([one], [other]) => (one < other ? -1 : 1));
}

const found = new WeakMap<Labels, Subject>();

/** The same of an alert, found once for its labels: every stage asks, and a stored alert has no `expr` any more. */
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

/** What people call the subject: pods and replica sets by the name of their workload. */
export const targetNameOf = ({ kind, name, workload }: Subject): string =>
  kind === "pod" || kind === "replicaset" ? workload : name;

/** Whether a label says what an alert is about. */
export const namesSubject = (labels: Labels, alert_name: string): boolean =>
  subjectOf(labels, { alert_name }).label !== null;
