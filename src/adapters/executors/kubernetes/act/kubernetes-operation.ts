import type { ActResult, DryRun, Resolution, Run, Undo } from "../../../../execution/index.ts";
import type { Operation } from "../../../../operation/index.ts";
import type { Cluster } from "../cluster/client.ts";
import type { KubernetesConfig } from "../cluster/config.ts";
import { type Autoscaler, type Node, read } from "../cluster/objects.ts";
import { readWorkload, type WorkloadPlace } from "../cluster/workload.ts";
import { actOn, type Change, dryRunOf, effectOn } from "./change.ts";
import { resolveObject } from "./resolve.ts";
import { type Snapshot, snapshotOf, stateOfAutoscaler, stateOfNode } from "./snapshot.ts";

export type KubernetesKind = Extract<Operation["kind"], `kubernetes.${string}`>;
export type Of<Kind extends KubernetesKind> = Extract<Operation, { kind: Kind }>;

/** One operation, bound to the cluster that it is for. */
export type Handler = {
  resolve(): Promise<Resolution>;
  dryRun(): Promise<DryRun>;
  snapshot(): Promise<Snapshot | Record<string, never>>;
  act(run: Run, signal: AbortSignal): Promise<ActResult>;
  effect(run: Run): Promise<"done" | "not_done" | "cannot_tell">;
};

/** How one kind of operation is executed on a cluster, and how it is undone. */
export type KubernetesOperation<Kind extends KubernetesKind = KubernetesKind> = {
  kind: Kind;
  handler(cluster: Cluster, operation: Of<Kind>, config: KubernetesConfig): Handler;
  /** Returns the undo, from the snapshot alone. Pure. */
  undo(operation: Of<Kind>, before: Partial<Snapshot>): Undo;
};

/** An operation that is one patch of one object. `exact` resolves its parameters, once its target is known to exist. */
type ByChange<Kind extends KubernetesKind> = Pick<KubernetesOperation<Kind>, "kind" | "undo"> & {
  change(cluster: Cluster, operation: Of<Kind>): Change;
  exact?(cluster: Cluster, operation: Of<Kind>): Promise<Resolution>;
};

async function snapshotOfTarget(cluster: Cluster, { place }: Change): Promise<Snapshot> {
  if (place.kind === "node") return stateOfNode(await read<Node>(cluster, place));
  if (place.kind === "horizontalpodautoscaler")
    return stateOfAutoscaler(await read<Autoscaler>(cluster, place));
  return snapshotOf(cluster, await readWorkload(cluster, place as WorkloadPlace));
}

export function changeOperation<Kind extends KubernetesKind>({
  kind,
  change: changeOf,
  exact,
  undo,
}: ByChange<Kind>): KubernetesOperation<Kind> {
  return {
    kind,
    undo,
    handler(cluster, operation) {
      const change = changeOf(cluster, operation);
      return {
        async resolve() {
          const resolution = await resolveObject(cluster, (operation as { target: Target }).target);
          return exact === undefined || resolution.result !== "hit" ? resolution : exact(cluster, operation);
        },
        dryRun: () => dryRunOf(cluster, change),
        snapshot: () => snapshotOfTarget(cluster, change),
        act: (run, signal) => actOn(cluster, change, run, signal),
        effect: (run) => effectOn(cluster, change, run),
      };
    },
  };
}
type Target = Parameters<typeof resolveObject>[1];
