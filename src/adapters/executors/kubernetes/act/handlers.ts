import type { ActResult, DryRun, Resolution, Run } from "../../../../execution/index.ts";
import type { Operation } from "../../../../operation/index.ts";
import type { Cluster } from "../cluster/client.ts";
import type { KubernetesConfig } from "../cluster/config.ts";
import { type Autoscaler, type Node, read } from "../cluster/objects.ts";
import { outOfBounds } from "../cluster/place.ts";
import { readWorkload, type WorkloadPlace } from "../cluster/workload.ts";
import { actOn, type Change, dryRunOf, effectOn } from "./change.ts";
import { cordon } from "./operations/cordon.ts";
import { deletePod, dryRunDelete, effectOfDelete, snapshotOfPod } from "./operations/delete-pod.ts";
import { drainNode, dryRunDrain, effectOfDrain, snapshotOfDrain } from "./operations/drain.ts";
import { patch } from "./operations/patch.ts";
import { rolloutRestart } from "./operations/rollout-restart.ts";
import { exactRevision, rolloutUndo } from "./operations/rollout-undo.ts";
import { scale, scaleOut } from "./operations/scale.ts";
import { setImage } from "./operations/set-image.ts";
import { setResources } from "./operations/set-resources.ts";
import { resolveObject } from "./resolve.ts";
import { type Snapshot, snapshotOf, stateOfAutoscaler, stateOfNode } from "./snapshot.ts";

/** An operation on the cluster that it is for. */
export type Handler = {
  resolve(): Promise<Resolution>;
  dryRun(): Promise<DryRun>;
  snapshot(): Promise<Snapshot | Record<string, never>>;
  act(run: Run, signal: AbortSignal): Promise<ActResult>;
  effect(run: Run): Promise<"done" | "not_done" | "cannot_tell">;
};

export type Changing = Exclude<
  Extract<Operation, { kind: `kubernetes.${string}` }>,
  { kind: `kubernetes.${"get" | "describe" | "logs" | "top"}` }
>;

/** The one patch that an operation comes to. */
function changeOf(
  cluster: Cluster,
  operation: Exclude<Changing, { kind: `kubernetes.${"drain" | "delete_pod"}` }>,
): Change {
  switch (operation.kind) {
    case "kubernetes.rollout_restart":
      return rolloutRestart(operation.target);
    case "kubernetes.rollout_undo":
      return rolloutUndo(cluster, operation.target, operation.parameters.to_revision);
    case "kubernetes.scale":
      return scale(cluster, operation.target, operation.parameters.replicas);
    case "kubernetes.scale_out":
      return scaleOut(cluster, operation.target, operation.parameters.at_least);
    case "kubernetes.set_image":
      return setImage(operation.target, operation.parameters.images);
    case "kubernetes.set_resources":
      return setResources(operation.target, operation.parameters);
    case "kubernetes.patch":
      return patch(cluster, operation.target, operation.parameters.patch);
    case "kubernetes.cordon":
      return cordon(operation.target.name, true);
    case "kubernetes.uncordon":
      return cordon(operation.target.name, false);
  }
}

async function snapshotOfTarget(cluster: Cluster, { place }: Change): Promise<Snapshot> {
  if (place.kind === "node") return stateOfNode(await read<Node>(cluster, place));
  if (place.kind === "horizontalpodautoscaler")
    return stateOfAutoscaler(await read<Autoscaler>(cluster, place));
  return snapshotOf(cluster, await readWorkload(cluster, place as WorkloadPlace));
}

/** How an operation is carried out on its cluster. */
export function handlerOf(cluster: Cluster, config: KubernetesConfig, operation: Changing): Handler {
  const { target } = operation;
  const found = () => resolveObject(cluster, target);
  if (operation.kind === "kubernetes.delete_pod") {
    const place = { ...operation.target };
    return {
      resolve: found,
      dryRun: () => dryRunDelete(cluster, place),
      snapshot: () => snapshotOfPod(cluster, place),
      act: (run, signal) => deletePod(cluster, place, run, signal),
      effect: (run) => effectOfDelete(cluster, place, run),
    };
  }
  if (operation.kind === "kubernetes.drain") {
    const bounds = (namespace: string) => outOfBounds(config, namespace, false);
    const drain = { node: target.name, terms: operation.parameters, bounds };
    return {
      resolve: found,
      dryRun: () => dryRunDrain(cluster, drain),
      snapshot: () => snapshotOfDrain(cluster, drain),
      act: (run, signal) => drainNode(cluster, drain, run, { signal, seconds: config.drain_wait }),
      effect: (run) => effectOfDrain(cluster, drain, run),
    };
  }
  const change = changeOf(cluster, operation);
  return {
    async resolve() {
      const resolution = await found();
      return operation.kind === "kubernetes.rollout_undo" && resolution.result === "hit"
        ? exactRevision(cluster, operation)
        : resolution;
    },
    dryRun: () => dryRunOf(cluster, change),
    snapshot: () => snapshotOfTarget(cluster, change),
    act: (run, signal) => actOn(cluster, change, run, signal),
    effect: (run) => effectOn(cluster, change, run),
  };
}
