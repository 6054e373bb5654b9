import type { Cluster } from "../../cluster/client.ts";
import { resourceOf } from "../../cluster/objects.ts";
import { desiredReplicas, type WorkloadPlace } from "../../cluster/workload.ts";
import type { Change } from "../change.ts";
import { autoscalerCheck } from "../checks/autoscaler.ts";
import { changeOperation } from "../kubernetes-operation.ts";
import { toReplicas, UNCHANGED } from "../undo.ts";
import { workloadChange } from "../workload.ts";

const autoscalers = ({ namespace }: WorkloadPlace) => {
  const { group, resource } = resourceOf("horizontalpodautoscaler");
  return { verb: "list", group, resource, namespace } as const;
};

/** Sets the replica count to exactly `replicas`. */
function scaled(cluster: Cluster, place: WorkloadPlace, replicas: number): Change {
  const change = workloadChange(place, {
    signed: ["replicas"],
    plan: (workload) =>
      desiredReplicas(workload) === replicas
        ? { nothing: `spec.replicas is already ${replicas}` }
        : { patch: { spec: { replicas } } },
    checks: async () => [await autoscalerCheck(cluster, place, replicas, "exactly")],
  });
  return { ...change, permissions: [...(change.permissions ?? []), autoscalers(place)] };
}

/** Raises the replica count to `atLeast`; a count that is higher already stays as it is. */
function scaledOut(cluster: Cluster, place: WorkloadPlace, atLeast: number): Change {
  const change = workloadChange(place, {
    signed: [],
    plan: (workload) =>
      desiredReplicas(workload) >= atLeast
        ? { nothing: `spec.replicas is already ${desiredReplicas(workload)}` }
        : { patch: { spec: { replicas: atLeast } } },
    checks: async () => [await autoscalerCheck(cluster, place, atLeast, "at least")],
  });
  return { ...change, permissions: [...(change.permissions ?? []), autoscalers(place)] };
}

export const scale = changeOperation({
  kind: "kubernetes.scale",
  change: (cluster, { target, parameters }) => scaled(cluster, target, parameters.replicas),
  undo: (operation, before) =>
    before.numbers?.replicas === operation.parameters.replicas ? UNCHANGED : toReplicas(operation, before),
});

export const scaleOut = changeOperation({
  kind: "kubernetes.scale_out",
  change: (cluster, { target, parameters }) => scaledOut(cluster, target, parameters.at_least),
  undo: (operation, before) =>
    (before.numbers?.replicas ?? 0) >= operation.parameters.at_least
      ? UNCHANGED
      : toReplicas(operation, before),
});
