import type { OperationTarget } from "../contract/incident.ts";

/** Local processes that AWOOOI supervises, by name. */
export type KnownTargets = { processes: readonly string[] };

const WORKLOADS = ["deployment", "statefulset", "daemonset"] as const;
const PROCESS_LABELS = ["process", "component", "service", "job", "app"];
// Letters that Kubernetes draws suffixes from; with both hashes the owner is a deployment for certain.
const DEPLOYMENT_POD = /^(.+)-[bcdfghjklmnpqrstvwxz2456789]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$/;
const STATEFUL_POD = /^(.+)-\d+$/;

/**
 * The exact object that an alert is about, from its labels: a Kubernetes workload, a supervised process, a
 * host; else what services it names, as `unknown`; null when it names nothing. A Kubernetes label wins
 * over a process that happens to have the same name.
 */
export function operationTarget(
  alert: { labels: Record<string, string>; namespace: string; cluster: string; target_resource: string },
  services: readonly string[],
  known: KnownTargets,
): OperationTarget | null {
  const { labels } = alert;
  const inCluster = {
    namespace: alert.namespace,
    ...(alert.cluster === "" ? {} : { cluster: alert.cluster }),
  };
  for (const kind of WORKLOADS) {
    if (labels[kind]) return { kind, name: labels[kind], ...inCluster };
  }
  if (labels.pod) {
    const deployment = DEPLOYMENT_POD.exec(labels.pod)?.[1];
    if (deployment !== undefined) return { kind: "deployment", name: deployment, ...inCluster };
    const set = STATEFUL_POD.exec(labels.pod)?.[1];
    if (set !== undefined) return { kind: "statefulset", name: set, ...inCluster };
    return { kind: "pod", name: labels.pod, ...inCluster };
  }
  const names = [...PROCESS_LABELS.map((label) => labels[label]), alert.target_resource];
  const process = names.find((name) => name !== undefined && known.processes.includes(name));
  if (process !== undefined) return { kind: "process", name: process };
  if (labels.node) return { kind: "host", name: labels.node };
  const instance = labels.instance?.replace(/:\d+$/, "");
  if (instance) return { kind: "host", name: instance };
  const [service] = services;
  return service === undefined ? null : { kind: "unknown", name: service, ...inCluster };
}
