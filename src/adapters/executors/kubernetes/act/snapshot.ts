import type { Cluster } from "../cluster/client.ts";
import { failureOf } from "../cluster/failure.ts";
import { type Autoscaler, listAll, listPath, type Node, type Pod, templateHash } from "../cluster/objects.ts";
import { podsOf, presentRevision, revisionsOf, type Workload } from "../cluster/workload.ts";

/** A pod before an execution: its identity, and the restart count of each container. */
export type PodBefore = { name: string; uid: string; restarts: Record<string, number> };

/** The state of an object before it is changed. It is stored and shown, so it has names and numbers only. */
export type Snapshot = {
  kind: string;
  name: string;
  uid: string;
  resource_version: string;
  generation: number | null;
  /** For workloads. */
  revision?: number | null;
  template_hash?: string;
  paused?: boolean;
  images?: Record<string, string>;
  resources?: Record<string, unknown>;
  /** Numeric settings such as `replicas`, with the server's defaults filled in. */
  numbers?: Record<string, number>;
  /** For nodes. */
  unschedulable?: boolean;
  /** For pods. */
  owner?: { kind: string; name: string; uid: string } | null;
  /** Null if AWOOOI's account may not list them. */
  pods?: PodBefore[] | null;
};

/** A field that must not have changed since the approval. */
export type Signed = "template_hash" | "replicas" | "unschedulable" | "minReplicas" | "maxReplicas";

export const podBefore = ({ metadata, status }: Pod): PodBefore => ({
  name: metadata.name,
  uid: metadata.uid,
  restarts: Object.fromEntries(
    [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].map((one) => [
      one.name,
      one.restartCount,
    ]),
  ),
});

const identity = (kind: string, { metadata }: { metadata: Pod["metadata"] }) => ({
  kind,
  name: metadata.name,
  uid: metadata.uid,
  resource_version: metadata.resourceVersion,
  generation: metadata.generation ?? null,
});

/** Returns the fields of a workload by which a change by others is detected. */
export function stateOf(workload: Workload): Snapshot {
  const { spec } = workload;
  const containers = [
    ...(spec.template.spec?.initContainers ?? []),
    ...(spec.template.spec?.containers ?? []),
  ];
  const numbers = {
    ...(workload.kind === "daemonset" ? {} : { replicas: workload.spec.replicas ?? 1 }),
    ...(workload.kind === "deployment"
      ? { progressDeadlineSeconds: workload.spec.progressDeadlineSeconds ?? 600 }
      : {}),
    minReadySeconds: spec.minReadySeconds ?? 0,
  };
  return {
    ...identity(workload.kind, workload),
    template_hash: templateHash(spec.template),
    paused: workload.kind === "deployment" && workload.spec.paused === true,
    images: Object.fromEntries(containers.map(({ name, image = "" }) => [name, image])),
    resources: Object.fromEntries(containers.map(({ name, resources = {} }) => [name, resources])),
    numbers,
  };
}

export const stateOfAutoscaler = (one: Autoscaler): Snapshot => ({
  ...identity("horizontalpodautoscaler", one),
  numbers: { minReplicas: one.spec?.minReplicas ?? 1, maxReplicas: one.spec?.maxReplicas ?? 1 },
});

export const stateOfNode = (node: Node): Snapshot => ({
  ...identity("node", node),
  unschedulable: node.spec?.unschedulable === true,
});

/** Returns null on a 403: an account that may not list pods or revisions may still act. */
async function orNull<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (failureOf(error).status === 403) return null;
    throw error;
  }
}

/** Returns a workload's state with its revision and its pods. */
export async function snapshotOf(cluster: Cluster, workload: Workload): Promise<Snapshot> {
  const [revisions, pods] = await Promise.all([
    orNull(revisionsOf(cluster, workload)),
    orNull(podsOf(cluster, workload)),
  ]);
  return {
    ...stateOf(workload),
    revision: (revisions && presentRevision(workload, revisions)) ?? null,
    pods: pods?.map(podBefore) ?? null,
  };
}

/** Lists the pods of a node, including mirror pods and pods that have ended. */
export function podsOn(cluster: Cluster, node: string, signal?: AbortSignal): Promise<Pod[]> {
  return listAll<Pod>(cluster, listPath("pod"), { fieldSelector: `spec.nodeName=${node}` }, signal);
}

/** Returns a snapshot's value of a field that a change depends on. */
export function signedValue(snapshot: Partial<Snapshot>, field: Signed): unknown {
  if (field === "template_hash" || field === "unschedulable") return snapshot[field];
  return snapshot.numbers?.[field];
}
