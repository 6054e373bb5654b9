import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";

/** A list, or a text whose words are separated by spaces. */
const listed = z.preprocess(
  (value) => (typeof value === "string" ? value.split(/\s+/).filter(Boolean) : value),
  z.array(z.string().min(1)),
);
/** Several such lists, joined into one. */
const lines = z.array(listed).transform((all) => all.flat());

const vocabulary = z.strictObject({
  empty_words: z.array(z.string()),
  literal_labels: listed,
  subject: z.array(z.strictObject({ labels: listed, kind: z.string(), kind_label: listed.default([]) })),
  machine_words: listed,
  namespace: listed,
  namespace_of_called: listed,
  cluster: listed,
  cluster_scoped: listed,
  suffix_alphabet: z.string().regex(/^[a-z0-9]+$/),
  scraper_labels: listed,
  exporters: z.array(
    z.strictObject({
      names: listed,
      exact: z.boolean().default(false),
      instance: z.enum(["machine", "probed", "self"]).default("self"),
      namespace: z.enum(["subject", "self"]).default("self"),
      pods: z.enum(["subject", "self"]).default("self"),
      alone: z.boolean().default(false),
      generic: z.boolean().default(false),
    }),
  ),
  about_scraping: listed,
  about_scraping_names: listed,
  about_pods: listed,
  varying_labels: lines,
  machine_labels: listed,
  varying_labels_of: z.record(z.string(), listed),
});

/** The meaning of labels; vocabulary.yaml documents each entry. */
export const VOCABULARY = vocabulary.parse(
  parse(readFileSync(new URL("./vocabulary.yaml", import.meta.url), "utf8")),
);
export type Exporter = (typeof VOCABULARY.exporters)[number];

/** Returns a label's name in the vocabulary's spelling: `service.name` and `serviceName` become `service_name`. */
export const foldLabel = (name: string): string =>
  name
    .replace(/([a-z\d])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .replace(/[.\-/]/g, "_");

const EMPTY = new Set(VOCABULARY.empty_words);
const LITERAL = new Set(VOCABULARY.literal_labels);
// A template of Prometheus, Go, Grafana or a shell that was not filled in, anywhere in the value.
const UNRESOLVED =
  /\{\{|\[\[|%!?[a-z]?\((?:<nil>|MISSING|NOVERB)|%!\w\(|\$\{|%\{|\$labels\b|^\$\w+$|<error expanding template|^map\[\]$|^unknown_service\b/;
// Brackets and quotes around an empty word, as in `<nil>`, `(none)`, `"null"`. `<no value>` is found anywhere in the value.
const BRACKETS = /^[<([{"'\s]+|[>)\]}"'\s]+$/g;

/** Returns whether a label's value is meaningful: empty words and templates that were not filled in are not. */
export function isMeaningful(label: string, value: string | undefined): value is string {
  const text = value?.trim() ?? "";
  if (text === "" || text.includes("<no value>") || UNRESOLVED.test(text)) return false;
  if (LITERAL.has(foldLabel(label))) return true;
  const word = text.length > 40 ? text : text.replace(BRACKETS, "").toLowerCase();
  return word !== "" && !EMPTY.has(word);
}

const RANDOM = `[${VOCABULARY.suffix_alphabet}]`;
const DEPLOYMENT_POD = new RegExp(`-${RANDOM}{6,10}-${RANDOM}{5}$`);
const POD = new RegExp(`-${RANDOM}{5}$`);
const REPLICA_SET = new RegExp(`-${RANDOM}{6,10}$`);
const ORDINAL = /-\d{1,9}$/;
// The suffix that the CronJob controller appends: minutes since 1970, for 2017 to 2046; older controllers append seconds.
const SCHEDULED = /-(?:(?:2[5-9]|3\d)\d{6}|(?:1[5-9]|2[0-3])\d{8})$/;

/**
 * Returns the owner that a pod's name implies. `kind` is `pod` where the suffix does not tell what owns it: `name` is then
 * without the five characters that a daemon set, a job or a replica set appends.
 */
export function ownerOfPod(pod: string): { kind: string; name: string } {
  const ofJob = pod.replace(POD, "");
  if (ofJob !== pod && SCHEDULED.test(ofJob)) return { kind: "job", name: ofJob };
  if (DEPLOYMENT_POD.test(pod)) return { kind: "deployment", name: pod.replace(DEPLOYMENT_POD, "") };
  if (POD.test(pod) && !ORDINAL.test(pod)) return { kind: "pod", name: pod.replace(POD, "") };
  if (ORDINAL.test(pod)) return { kind: "statefulset", name: pod.replace(ORDINAL, "") };
  return { kind: "pod", name: pod };
}

/** Returns a pod's name without its hashes or ordinal: the same for all pods of one workload. */
export const workloadOfPod = (pod: string): string => workloadOfJob(ownerOfPod(pod).name);

/** Returns the deployment's name for a replica set's name. */
export const workloadOfReplicaSet = (name: string): string => name.replace(REPLICA_SET, "");

/** Returns a job's name without the time of its run: the same for all runs of one cron job. */
export const workloadOfJob = (name: string): string => name.replace(SCHEDULED, "");

const bare = (text: string) => text.replace(/[-_.\s]/g, "");
const EXPORTERS = VOCABULARY.exporters.flatMap((one) =>
  one.names.map((name) => [bare(name.toLowerCase()), one] as const),
);
const EXACT = new Map(EXPORTERS);
const AT_END = new Map(EXPORTERS.filter(([, one]) => !one.exact));
const ANY = AT_END.get("exporter");

// Prefixes that the Prometheus operator and agents put before the job's name to say how they scrape: `probe/monitoring/sites`.
const WAYS = /^(servicemonitor|podmonitor|scrapeconfig|integrations)$/;
// Suffix of a separate Service or port for metrics.
const FOR_METRICS = /-(http-)?(metrics|monitoring)$/;

/**
 * Returns the exporter that the value of a scraper's label names; undefined: no known one. `anywhere` also finds it in the
 * middle: a pod's name may go on after the exporter's.
 */
export function exporterNamed(value: string, anywhere = false): Exporter | undefined {
  // `serviceMonitor/monitoring/node-exporter/0`, `monitoring/kube-state-metrics`
  const parts = value
    .slice(0, 253)
    .toLowerCase()
    .split("/")
    .filter((part) => !/^\d*$/.test(part) && !WAYS.test(part));
  if (parts[0] === "probe" && parts.length > 1) return EXACT.get("probe");
  const name = workloadOfPod(parts.at(-1) ?? "");
  return namedExactly(name, anywhere) ?? namedExactly(name.replace(FOR_METRICS, ""), anywhere);
}

function namedExactly(name: string, anywhere: boolean): Exporter | undefined {
  const exact = EXACT.get(bare(name));
  if (exact !== undefined) return exact;
  const words = name.split(/[-_.\s]/).slice(0, 40);
  const ends = anywhere ? words.map((_, index) => words.length - index) : [words.length];
  for (const end of ends) {
    for (let at = end === words.length ? 1 : 0; at < end; at += 1) {
      const found = AT_END.get(words.slice(at, end).join(""));
      if (found !== undefined) return found;
    }
  }
  return words.at(-1)?.endsWith("exporter") ? ANY : undefined;
}

/** Returns whether one of the exporter's own names is part of an alert's name, as in `KubeStateMetricsListErrors`. */
export function isNamedIn({ names, exact }: Exporter, alert_name: string): boolean {
  const folded = bare(alert_name.toLowerCase());
  // A product's name alone (Traefik) also occurs in alerts about the services behind it, so only names of exporters count.
  const own = names.map(bare).filter((name) => /.exporter$|^kubestatemetrics$/.test(name));
  return !exact && own.some((name) => folded.includes(name));
}

const UUID = /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i;
const POD_LOG = /^\/var\/(?:log|lib)\/(?:pods|containers|docker)\//;

type Pattern = (folded: string) => boolean;

function patternOf(names: readonly string[]): Pattern {
  const plain = new Set(names.filter((name) => !name.includes("*")));
  const starts = names.filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1));
  const ends = names.filter((name) => name.startsWith("*")).map((name) => name.slice(1));
  return (folded) =>
    plain.has(folded) ||
    starts.some((start) => folded.startsWith(start)) ||
    ends.some((end) => folded.endsWith(end));
}

const varies = patternOf(VOCABULARY.varying_labels);
const ofMachines = patternOf(VOCABULARY.machine_labels);
const ofType = new Map(
  Object.entries(VOCABULARY.varying_labels_of).map(([type, names]) => [type, patternOf(names)]),
);

/** Returns whether a value belongs to one process or container (log path, UUID): it names no machine. */
export const isOfOneRun = (label: string, value: string): boolean =>
  POD_LOG.test(value) || (ofMachines(foldLabel(label)) && UUID.test(value));

/**
 * Returns whether a label varies within one workload, so that it does not distinguish alerts of one name. `replicated`: the alert
 * is about a Kubernetes workload, whose machine labels only say where a replica runs.
 */
export function isVarying(label: string, alert_type: string, replicated: boolean): boolean {
  const folded = foldLabel(label);
  if (varies(folded) || (replicated && ofMachines(folded))) return true;
  return ofType.get(alert_type)?.(folded) ?? false;
}
