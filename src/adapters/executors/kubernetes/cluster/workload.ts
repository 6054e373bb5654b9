import { EXECUTION, RESTARTED_AT } from "../act/annotations.ts";
import type { Cluster } from "./client.ts";
import { failureOf } from "./failure.ts";
import {
  type ControllerRevision,
  controllerOf,
  type DaemonSet,
  type Deployment,
  listAll,
  listPath,
  normalTemplate,
  type Pod,
  type ReplicaSet,
  read,
  type StatefulSet,
  selectorText,
  type Template,
  templateHash,
} from "./objects.ts";

export type WorkloadKind = "deployment" | "statefulset" | "daemonset";
export type WorkloadPlace = { kind: WorkloadKind; name: string; namespace: string };
/** A workload of one of the three kinds; `kind` is our own field, in lower case. */
export type Workload = (
  | ({ kind: "deployment" } & Omit<Deployment, "kind">)
  | ({ kind: "statefulset" } & Omit<StatefulSet, "kind">)
  | ({ kind: "daemonset" } & Omit<DaemonSet, "kind">)
) & { spec: { template: Template } };

export async function readWorkload(
  cluster: Cluster,
  place: WorkloadPlace,
  signal?: AbortSignal,
): Promise<Workload> {
  return asWorkload(place.kind, await read<Deployment>(cluster, place, signal));
}

export function asWorkload(kind: WorkloadKind, object: unknown): Workload {
  return { ...(object as Deployment), kind } as Workload;
}

/** Returns the desired number of pods. */
export function desiredReplicas(workload: Workload): number {
  return workload.kind === "daemonset"
    ? (workload.status?.desiredNumberScheduled ?? 0)
    : (workload.spec.replicas ?? 1);
}

/** Tells whether the controller has seen the latest change of the workload. */
export function isObserved({ metadata, status }: Workload): boolean {
  return (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
}

/** Returns why a change of the template would not reach the pods by itself; undefined if it would. */
export function pausedReason(workload: Workload): string | undefined {
  if (workload.kind === "deployment")
    return workload.spec.paused === true ? "its rollout is paused: pods stay as they are" : undefined;
  const { type } = workload.spec.updateStrategy ?? {};
  return type === "OnDelete"
    ? "its strategy is OnDelete: pods stay as they are until they are deleted"
    : undefined;
}

const ownedBy = (uids: ReadonlySet<string>) => (one: { metadata: Pod["metadata"] }) =>
  uids.has(controllerOf(one.metadata)?.uid ?? "");

async function replicaSetsOf(cluster: Cluster, workload: Workload): Promise<ReplicaSet[]> {
  const path = listPath("replicaset", workload.metadata.namespace);
  const labelSelector = selectorText(workload.spec.selector ?? {});
  const all = await listAll<ReplicaSet>(cluster, path, { labelSelector });
  return all.filter(ownedBy(new Set([workload.metadata.uid])));
}

/** Lists the workload's pods, including those that are being deleted. */
export async function podsOf(cluster: Cluster, workload: Workload): Promise<Pod[]> {
  const { metadata, spec } = workload;
  const owners = new Set([metadata.uid]);
  if (workload.kind === "deployment")
    for (const one of await replicaSetsOf(cluster, workload)) owners.add(one.metadata.uid);
  const labelSelector = selectorText(spec.selector ?? {});
  const pods = await listAll<Pod>(cluster, listPath("pod", metadata.namespace), { labelSelector });
  return pods.filter(ownedBy(owners));
}

/** A revision's template. Templates that differ only by a restart have the same `hash`. */
export type Revision = { revision: number; template: Template; hash: string };

function versionHash(template: unknown): string {
  const copy = structuredClone(template) as { metadata?: { annotations?: Record<string, string> } };
  delete copy.metadata?.annotations?.[RESTARTED_AT];
  delete copy.metadata?.annotations?.[EXECUTION];
  return templateHash(copy);
}

/** Returns the workload's revisions, the current one included, newest first. */
export async function revisionsOf(cluster: Cluster, workload: Workload): Promise<Revision[]> {
  const found: { revision: number; template: unknown }[] =
    workload.kind === "deployment"
      ? (await replicaSetsOf(cluster, workload)).map(({ metadata, spec }) => ({
          revision: Number(metadata.annotations?.["deployment.kubernetes.io/revision"] ?? 0),
          template: spec?.template,
        }))
      : (await controllerRevisionsOf(cluster, workload)).map((one) => ({
          revision: one.revision,
          template: (one.data as { spec?: { template?: unknown } } | undefined)?.spec?.template,
        }));
  return found
    .filter(({ revision, template }) => revision > 0 && template !== undefined)
    .map(({ revision, template }) => ({
      revision,
      template: normalTemplate(template) as Template,
      hash: versionHash(normalTemplate(template)),
    }))
    .sort((a, b) => b.revision - a.revision);
}

async function controllerRevisionsOf(cluster: Cluster, { metadata, spec }: Workload) {
  const path = listPath("controllerrevision", metadata.namespace);
  const labelSelector = selectorText(spec.selector ?? {});
  const all = await listAll<ControllerRevision>(cluster, path, { labelSelector });
  return all.filter(ownedBy(new Set([metadata.uid])));
}

/** Returns the current revision number; undefined if the controller has not created the revision yet. */
export function presentRevision(workload: Workload, revisions: readonly Revision[]): number | undefined {
  const same = revisions.find((one) => templateHash(one.template) === templateHash(workload.spec.template));
  return same?.revision;
}

/** Returns the newest revision whose template differs from the current one by more than a restart. */
export function previousRevision(workload: Workload, revisions: readonly Revision[]): Revision | undefined {
  const now = versionHash(normalTemplate(workload.spec.template));
  return revisions.find((one) => one.hash !== now);
}

/** Returns the pods of the pod's controller; only the pod itself if it has none or pods may not be listed. */
export async function siblingsOf(cluster: Cluster, pod: Pod): Promise<Pod[]> {
  const controller = controllerOf(pod.metadata);
  if (controller === undefined) return [pod];
  try {
    const all = await listAll<Pod>(cluster, listPath("pod", pod.metadata.namespace));
    return all.filter(ownedBy(new Set([controller.uid])));
  } catch (error) {
    if (failureOf(error).status === 403) return [pod];
    throw error;
  }
}
