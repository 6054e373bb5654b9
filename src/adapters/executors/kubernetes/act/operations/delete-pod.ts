import type { Check } from "../../../../../contract/approval.ts";
import type { ActResult, DryRun, Run } from "../../../../../execution/index.ts";
import type { Cluster } from "../../cluster/client.ts";
import { failureOf, plain } from "../../cluster/failure.ts";
import { controllerOf, type Pod, pathOf, read } from "../../cluster/objects.ts";
import { ownersOfPods } from "../../cluster/owners.ts";
import { checkPermissions } from "../../cluster/permission.ts";
import { siblingsOf } from "../../cluster/workload.ts";
import { failed, waitForRetryAfter } from "../change.ts";
import { tryEviction } from "../checks/budget.ts";
import { ownerCheck } from "../checks/owner.ts";
import type { KubernetesOperation } from "../kubernetes-operation.ts";
import { resolveObject } from "../resolve.ts";
import { podBefore, type Snapshot } from "../snapshot.ts";
import { noUndo } from "../undo.ts";

type PodPlace = { kind: "pod"; name: string; namespace: string };

const refused = (error: string): ActResult => ({
  ok: false,
  error: `Nothing was deleted: ${error}`,
  sent: false,
});

/** Takes the snapshot: the pod, its owner, and the owner's other pods, to tell a replacement from them. */
async function snapshotOfPod(cluster: Cluster, place: PodPlace): Promise<Snapshot> {
  const pod = await read<Pod>(cluster, place);
  const { uid, resourceVersion, generation } = pod.metadata;
  const controller = controllerOf(pod.metadata);
  const siblings = await siblingsOf(cluster, pod);
  return {
    kind: "pod",
    name: pod.metadata.name,
    uid,
    resource_version: resourceVersion,
    generation: generation ?? null,
    owner: controller ? { kind: controller.kind, name: controller.name, uid: controller.uid } : null,
    pods: siblings.map(podBefore),
  };
}

function remove(cluster: Cluster, place: PodPlace, uid: string, more: object, signal?: AbortSignal) {
  return cluster.raw<Pod>({
    method: "DELETE",
    path: pathOf(place),
    // With the uid, a new pod of the same name is not deleted.
    body: { apiVersion: "v1", kind: "DeleteOptions", preconditions: { uid }, ...more },
    signal,
  });
}

/** Deletes the pod of the snapshot, identified by its uid. */
async function deleteOnce(
  cluster: Cluster,
  place: PodPlace,
  run: Run,
  signal: AbortSignal,
): Promise<ActResult> {
  const { uid } = run.before as Partial<Snapshot>;
  if (uid === undefined) return refused("there is no snapshot that identifies the pod");
  for (let round = 1; ; round += 1) {
    if (signal.aborted) return refused("cancelled before it began");
    try {
      await remove(cluster, place, uid, {}, signal);
      return { ok: true, output: `pod ${place.name} (${uid}) is being deleted` };
    } catch (error) {
      const failure = failureOf(error);
      if (round < 5 && (await waitForRetryAfter(failure, signal))) continue;
      if (failure.status === 404) return refused(`pod ${place.name} no longer exists`);
      if (failure.status === 409 && failure.message.includes("UID"))
        return refused(`pod ${place.name} was replaced since`);
      return failed(failure, `pod ${place.name} was not deleted`);
    }
  }
}

function replacedCheck(pod: Pod): Check {
  const name = "replacement";
  const controller = controllerOf(pod.metadata);
  const ends = pod.metadata.deletionTimestamp;
  if (ends !== undefined)
    return { name, passed: false, message: `it has been terminating since ${plain(ends, 40)}` };
  if (controller === undefined)
    return { name, passed: false, message: "no controller owns it: nothing will replace it" };
  const message = `${controller.kind} ${plain(controller.name, 253)} will create a new one`;
  return { name, passed: true, message };
}

async function dryRunDelete(cluster: Cluster, place: PodPlace): Promise<DryRun> {
  const { name, namespace } = place;
  const wanted = (["get", "delete"] as const).map((verb) => ({
    verb,
    group: "",
    resource: "pods",
    namespace,
    name,
  }));
  const permission = await checkPermissions(cluster, wanted);
  const tried = (passed: boolean, message: string) => ({ name: "server-side dry-run", passed, message });
  let pod: Pod;
  try {
    pod = await read<Pod>(cluster, place);
    await remove(cluster, place, pod.metadata.uid, { dryRun: ["All"] });
  } catch (error) {
    return { checks: [permission, tried(false, failureOf(error).message)], diff: null };
  }
  const budget = await tryEviction(cluster, pod);
  const owner = controllerOf(pod.metadata) === undefined ? ownerCheck(pod.metadata) : undefined;
  const checks = [permission, tried(true, "the API server accepts it"), replacedCheck(pod), budget];
  return {
    checks: owner === undefined ? checks : [...checks, owner],
    diff: `pod ${plain(name, 253)}: ${plain(pod.status?.phase ?? "there", 40)} → deleted`,
    affected_pods: 1,
    belongs_to: ownersOfPods([pod]),
  };
}

/** Tells whether the pod of the snapshot is gone or being deleted. Who deleted it is unknown and does not matter. */
async function effectOfDelete(
  cluster: Cluster,
  place: PodPlace,
  run: Run,
): Promise<"done" | "not_done" | "cannot_tell"> {
  const { uid } = run.before as Partial<Snapshot>;
  if (uid === undefined) return "cannot_tell";
  try {
    const { metadata } = await read<Pod>(cluster, place);
    return metadata.uid === uid && metadata.deletionTimestamp === undefined ? "not_done" : "done";
  } catch (error) {
    return failureOf(error).status === 404 ? "done" : "cannot_tell";
  }
}

export const deletePod: KubernetesOperation<"kubernetes.delete_pod"> = {
  kind: "kubernetes.delete_pod",
  handler(cluster, { target }) {
    const place = { ...target };
    return {
      resolve: () => resolveObject(cluster, target),
      dryRun: () => dryRunDelete(cluster, place),
      snapshot: () => snapshotOfPod(cluster, place),
      act: (run, signal) => deleteOnce(cluster, place, run, signal),
      effect: (run) => effectOfDelete(cluster, place, run),
    };
  },
  undo: () => noUndo("a deleted pod cannot be restored; its controller has created a new one"),
};
