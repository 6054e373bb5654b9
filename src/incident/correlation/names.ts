/** Extracts the names of what an alert is about from labels and texts. Pure. */
import {
  exporterNamed,
  subjectOfAlert,
  VOCABULARY,
  workloadOfJob,
  workloadOfPod,
} from "../../intake/index.ts";

// Hostile texts may be a mebibyte long; the subject is at the beginning.
const MOST_TEXT = 2_000;
const MOST_NAME = 253;

const KIND = /[-_ ](service|svc|deployment|deploy|statefulset|daemonset|pod)$/i;
const DOMAIN = /\.[a-z\d-]+\.svc(\.cluster\.local)?$/i;

/**
 * Normalises a name for comparison: drops case, separators, the cluster's domain and the word for its kind, so that
 * `product-catalog` equals `ProductCatalogService`.
 */
export function fold(name: string): string {
  const bare = name.slice(0, MOST_NAME).trim().replace(DOMAIN, "").replace(KIND, "");
  const folded = bare.toLowerCase().replace(/[-_.\s]/g, "");
  return folded.replace(/(?<=^.{3,})service$/, "");
}

const labelsOf = (...kinds: string[]) =>
  VOCABULARY.subject.filter(({ kind }) => kinds.includes(kind)).flatMap(({ labels }) => labels);
const PODS = labelsOf("pod");
const NODE_LABELS = [...labelsOf("node"), "host", "hostname", "nodename"];
const VOLUME_LABELS = labelsOf("persistentvolumeclaim");
/** Labels that name a workload, the most exact first; `component` is free text, and therefore last. */
const WORKLOAD_LABELS = [
  ...labelsOf("deployment", "statefulset", "daemonset"),
  "rollout",
  "workload",
  "cronjob",
  "job_name",
  ...labelsOf("workload").filter((label) => label !== "component" && label !== "workload"),
  "component",
];
const LOOSE_LABELS = ["name", "resource", "target", "entity", "database", "queue"];

const given = (labels: Readonly<Record<string, string>>, names: readonly string[]) =>
  names.flatMap((name) => {
    const value = Object.hasOwn(labels, name) ? labels[name]?.trim() : undefined;
    return value ? [value.slice(0, MOST_NAME)] : [];
  });

const hostOf = (instance: string) => {
  const bare = instance.replace(/^[a-z][a-z0-9+.-]*:\/\//i, "").split(/[/?#]/, 1)[0] ?? "";
  return bare.replace(/:\d+$/, "");
};
const isAddress = (host: string) => /^[\d.]+$|^\[?[\da-f:]*:[\da-f:]*\]?$/i.test(host);

/** The names of an alert's subject, best first, and of where it runs. */
export type NamesInLabels = { workloads: string[]; nodes: string[]; hosts: string[] };

export function namedIn(
  { alert_name, labels: raw }: { alert_name: string; labels: Readonly<Record<string, string>> },
  services: readonly string[],
): NamesInLabels {
  // Labels by which a scraper or exporter describes itself name no subject.
  const { labels } = subjectOfAlert({ labels: raw, alert_name });
  const pods = given(labels, PODS).map(workloadOfPod);
  const byEffect = [...given(labels, WORKLOAD_LABELS).map(workloadOfJob), ...given(labels, ["job"])];
  const watchers = byEffect.filter((name) => exporterNamed(name) !== undefined);
  const ofLabels = byEffect.filter((name) => exporterNamed(name) === undefined);
  const nodes = given(labels, NODE_LABELS);
  const hosts = given(labels, ["instance"]).map(hostOf).filter(Boolean);
  const volumes = given(labels, VOLUME_LABELS);
  const exact = [...ofLabels, ...pods, ...volumes, ...services];
  const loose = exact.length > 0 || nodes.length > 0 ? [] : given(labels, LOOSE_LABELS);
  const named = hosts.filter((host) => !isAddress(host)).map((host) => workloadOfPod(host));
  const workloads = [...exact, ...loose, ...(exact.length + nodes.length === 0 ? named : [])];
  const last = workloads.length + nodes.length + hosts.length === 0 ? watchers : [];
  return { workloads: [...new Set([...workloads, ...last])], nodes, hosts };
}

// Words common in alerts: in a text they do not identify a service of that name.
const COMMON = new Set(
  `a an and any api app application are at availability available be below by cache check client cluster
  config connection container cpu critical dashboard database db default deployment dev disk down due error errors event failed
  failing failure for from high host http in instance is it job latency load log logs low memory message
  metric metrics monitor monitoring namespace network no node not of on or pod pods prod production queue rate
  request requests response server service services slow staging status storage summary system target test the
  this time timeout to too traffic unavailable up usage user users value volume warning was web were with worker`
    .split(/\s+/)
    .map(fold),
);

/** Whether a name is too common to identify a service in a text. */
export const isCommon = (folded: string) => COMMON.has(folded) || folded.length < 2 || /^\d+$/.test(folded);

const TEXTS = ["summary", "description", "message", "title", "text", "details"];

/** Returns the readable text of an alert. */
export function textOf(annotations: Readonly<Record<string, string>>): string {
  const known = TEXTS.flatMap((name) => (Object.hasOwn(annotations, name) ? [annotations[name] ?? ""] : []));
  const texts = known.length > 0 ? known : Object.values(annotations);
  return texts.join(" \n ").slice(0, MOST_TEXT);
}

/** Returns the possible names in a text, folded: single tokens, and two or three adjacent words joined. */
export function tokensOf(text: string): string[] {
  const raw = text.match(/[\p{L}\d]+(?:[-_./][\p{L}\d]+)*/gu) ?? [];
  const found: string[] = [];
  for (const [at, token] of raw.entries()) {
    for (const name of [token, workloadOfPod(token), ...token.split("/")]) found.push(fold(name));
    for (const words of [2, 3]) {
      const next = raw.slice(at, at + words);
      if (next.length === words && next.every((one) => /^\p{L}+$/u.test(one)))
        found.push(fold(next.join("")));
    }
  }
  return [...new Set(found)].filter((one) => one !== "");
}
