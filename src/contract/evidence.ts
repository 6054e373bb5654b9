import { z } from "zod";
import { wireText, wireTime } from "./common.ts";
import { operationTarget } from "./incident.ts";

/** A fact read from a system, with an id by which findings refer to it. */
const evidenceItem = z.object({
  /** `E1`, `E2`, …: unique within one investigation. */
  id: z.string(),
  /** The investigator that read it, such as `kubernetes` or `ssh`. */
  source: z.string(),
  at: wireTime,
  /** The object that the fact is about, such as `pod/api-5f7c-x in prod`. */
  subject: z.string(),
  text: z.string(),
});
export type EvidenceItem = z.infer<typeof evidenceItem>;

/** An interpretation of facts. */
export const finding = z.object({
  /** The kind of trouble, in lower case with underscores, such as `image_not_found`: rules refer to it. */
  code: z.string(),
  /** `cause`: explains the trouble; `symptom`: follows from one; `note`: worth knowing. */
  weight: z.enum(["cause", "symptom", "note"]),
  /** One line, such as `The image registry.example/web:1.3 does not exist`. */
  title: z.string(),
  /** What it means and what to look at or do, in a sentence or two. */
  meaning: z.string(),
  /** Ids of the evidence that supports it; never empty. */
  evidence: z.array(z.string()).min(1),
});
export type Finding = z.infer<typeof finding>;

const WEIGHTS: readonly Finding["weight"][] = ["cause", "symptom", "note"];

/** Sorts findings: causes first, then symptoms, then notes. */
export const byWeight = (a: Pick<Finding, "weight">, b: Pick<Finding, "weight">): number =>
  WEIGHTS.indexOf(a.weight) - WEIGHTS.indexOf(b.weight);

const SAYS_WELL: ReadonlySet<string> = new Set([
  "workload_healthy",
  "process_healthy",
  "host_healthy",
  "unit_running",
  "container_running",
  "container_healthy",
  "disk_has_room",
]);

/** Returns whether a finding says that something is well: people should read that before the proposal. */
export const saysWell = ({ code }: Pick<Finding, "code">): boolean => SAYS_WELL.has(code);

/** One of several objects that a name may mean. */
const targetCandidate = z.object({
  target: operationTarget,
  /** Why it may be meant, such as `the service api selects its pods`. */
  reason: z.string(),
});
export type TargetCandidate = z.infer<typeof targetCandidate>;

/** Most candidates shown; with more of them the target has to be named anyway. */
export const MOST_CANDIDATES = 10;

/** The evidence read of a target and its findings, causes first. */
export const investigation = z.object({
  at: wireTime,
  /** The exact object (for a pod, its deployment); null where it could not be found. */
  target: operationTarget.nullable(),
  evidence: z.array(evidenceItem),
  findings: z.array(finding),
  /** What could not be read, and why. */
  missing: z.array(z.string()),
  /** The objects it may be, where that is ambiguous: then `target` is what was asked for, and nothing acts on these. */
  candidates: z.array(targetCandidate).max(MOST_CANDIDATES).optional(),
});
export type Investigation = z.infer<typeof investigation>;

const candidateText = ({ kind, name, namespace, cluster }: TargetCandidate["target"]) =>
  [
    `${kind}/${name}`,
    ...(namespace === undefined ? [] : [`in ${namespace}`]),
    ...(cluster === undefined ? [] : [`on ${cluster}`]),
  ].join(" ");

const LABEL_OF: Record<string, string> = { job: "job_name" };
const several = (values: readonly (string | undefined)[]) => new Set(values).size > 1;

/** Returns the alert labels that would tell these targets apart. */
function tellingLabels(targets: readonly TargetCandidate["target"][]): string[] {
  const one = targets.length === 1;
  const own = one || several(targets.map(({ kind, name }) => `${kind}/${name}`));
  const kinds = own ? [...new Set(targets.map(({ kind }) => LABEL_OF[kind] ?? kind))] : [];
  const places = (["namespace", "cluster"] as const).filter(
    (label) => several(targets.map((target) => target[label])) || (one && targets[0]?.[label] !== undefined),
  );
  return [...kinds, ...places];
}

/** Returns a line listing the candidates and the labels with which an alert names one; undefined without candidates. Pure. */
export function candidatesText(candidates: readonly TargetCandidate[] = []): string | undefined {
  if (candidates.length === 0) return undefined;
  const targets = candidates.map(({ target }) => target);
  const labels = tellingLabels(targets).map((label) => `\`${label}\``);
  const how = `name ${targets.length === 1 ? "it" : "one"} with the label${labels.length > 1 ? "s" : ""} ${labels.join(", ")}`;
  return `Could be: ${targets.map(candidateText).join(", ")}; ${how}`;
}

/** Kinds of target that a Kubernetes investigator may know. */
export const CLUSTER_KINDS = [
  "deployment",
  "statefulset",
  "daemonset",
  "replicaset",
  "pod",
  "job",
  "cronjob",
  "service",
  "ingress",
  "node",
  "horizontalpodautoscaler",
  "persistentvolumeclaim",
  "persistentvolume",
] as const;

/** Kinds of target on a host. */
export const HOST_KINDS = ["unit", "container"] as const;

/** A target to investigate; kind `unknown`: only the name is known. */
export const diagnosisQuery = z.object({
  kind: z
    .string()
    .regex(/^[a-z][a-z0-9]{0,62}$/, "is not a kind, such as deployment")
    .default("unknown"),
  name: wireText(253).min(1),
  namespace: wireText(253).min(1).optional(),
  cluster: wireText(253).min(1).optional(),
  host: wireText(253).min(1).optional(),
  /** A path on a host whose filesystem is examined, whatever its type. */
  mountpoint: wireText(1000).startsWith("/", "must be an absolute path, such as /var").optional(),
  /** The device of a filesystem to examine, such as `/dev/sda1`. */
  device: wireText(200).min(1).optional(),
});
export type DiagnosisQuery = z.infer<typeof diagnosisQuery>;
