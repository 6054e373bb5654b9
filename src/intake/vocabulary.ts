import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";

/** A list, or a text with spaces between. */
const listed = z.preprocess(
  (value) => (typeof value === "string" ? value.split(/\s+/).filter(Boolean) : value),
  z.array(z.string().min(1)),
);
/** Lists, each of which may be a text with spaces between, as one. */
const lines = z.array(listed).transform((all) => all.flat());

const vocabulary = z.strictObject({
  empty_words: z.array(z.string()),
  literal_labels: listed,
  subject: z.array(z.strictObject({ labels: listed, kind: z.string(), kind_label: z.string().optional() })),
  machine_words: listed,
  namespace: listed,
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
    }),
  ),
  about_scraping: listed,
  about_pods: listed,
  varying_labels: lines,
  machine_labels: listed,
  varying_labels_of: z.record(z.string(), listed),
});

/** What labels mean: see vocabulary.yaml, which says it. */
export const VOCABULARY = vocabulary.parse(
  parse(readFileSync(new URL("./vocabulary.yaml", import.meta.url), "utf8")),
);
export type Exporter = (typeof VOCABULARY.exporters)[number];

/** A label's name as the vocabulary has it: `service.name` is `service_name`. */
export const foldLabel = (name: string): string => name.toLowerCase().replace(/[.\-/]/g, "_");

const EMPTY = new Set(VOCABULARY.empty_words);
const LITERAL = new Set(VOCABULARY.literal_labels);
// A template of Prometheus, Go, Grafana or a shell that nobody filled in, anywhere in the value.
const UNRESOLVED = /\{\{|\[\[|<no value>|%!?[a-z]?\((?:<nil>|MISSING|NOVERB)|%!\w\(|\$\{|\$labels\b/;

/** Whether the value of a label says something: empty words and templates that were not filled in do not. */
export function says(label: string, value: string | undefined): value is string {
  const text = value?.trim() ?? "";
  if (text === "" || UNRESOLVED.test(text)) return false;
  return LITERAL.has(foldLabel(label)) || !EMPTY.has(text.toLowerCase());
}

const RANDOM = `[${VOCABULARY.suffix_alphabet}]`;
const DEPLOYMENT_POD = new RegExp(`-${RANDOM}{6,10}-${RANDOM}{5}$`);
const POD = new RegExp(`-${RANDOM}{5}$`);
const REPLICA_SET = new RegExp(`-${RANDOM}{6,10}$`);
const ORDINAL = /-\d{1,9}$/;
// Minutes since 1970 that a cron job's controller appends; older ones append seconds.
const SCHEDULED = /-\d{8,10}$/;

/** What a pod's name says of its owner. `kind` is `pod` where the end of the name says nothing. */
export function ownerOfPod(pod: string): { kind: string; name: string } {
  if (DEPLOYMENT_POD.test(pod)) return { kind: "deployment", name: pod.replace(DEPLOYMENT_POD, "") };
  if (POD.test(pod) && !ORDINAL.test(pod)) return { kind: "pod", name: pod.replace(POD, "") };
  if (ORDINAL.test(pod)) return { kind: "statefulset", name: pod.replace(ORDINAL, "") };
  return { kind: "pod", name: pod };
}

/** A pod's name without its hashes or ordinal: the same for all pods of one workload. */
export const workloadOfPod = (pod: string): string => ownerOfPod(pod).name;

/** The deployment of a replica set, by its name. */
export const workloadOfReplicaSet = (name: string): string => name.replace(REPLICA_SET, "");

/** A job's name without the time of its run: the same for all runs of one cron job. */
export const workloadOfJob = (name: string): string => name.replace(SCHEDULED, "");

const bare = (text: string) => text.replace(/[-_.\s]/g, "");
const EXPORTERS = VOCABULARY.exporters.flatMap((one) =>
  one.names.map((name) => [bare(name.toLowerCase()), one] as const),
);
const EXACT = new Map(EXPORTERS);
const AT_END = new Map(EXPORTERS.filter(([, one]) => !one.exact));
const ANY = AT_END.get("exporter");

/** The exporter that a value of a scraper's label names; undefined: none that we know. */
export function exporterNamed(value: string): Exporter | undefined {
  // `serviceMonitor/monitoring/node-exporter/0`, `monitoring/kube-state-metrics`
  const parts = value
    .slice(0, 253)
    .toLowerCase()
    .split("/")
    .filter((part) => !/^\d*$/.test(part));
  const last = workloadOfPod(parts.at(-1) ?? "");
  const exact = EXACT.get(bare(last));
  if (exact !== undefined) return exact;
  const words = last.split(/[-_.\s]/);
  for (let at = 1; at < words.length; at += 1) {
    const found = AT_END.get(words.slice(at).join(""));
    if (found !== undefined) return found;
  }
  return words.at(-1)?.endsWith("exporter") ? ANY : undefined;
}

/** Whether one of the exporter's own names is part of an alert's name, as in `KubeStateMetricsListErrors`. */
export function isNamedIn({ names, exact }: Exporter, alert_name: string): boolean {
  const folded = bare(alert_name.toLowerCase());
  return !exact && names.some((name) => name.length >= 6 && folded.includes(bare(name)));
}

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

/**
 * Whether a label varies within one workload, so that it does not tell alerts of one name apart. `replicated`: the
 * machine is one of a workload's replicas.
 */
export function isVarying(label: string, alert_type: string, replicated: boolean): boolean {
  const folded = foldLabel(label);
  if (varies(folded) || (replicated && ofMachines(folded))) return true;
  return ofType.get(alert_type)?.(folded) ?? false;
}
