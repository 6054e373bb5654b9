import type { Undo } from "../../../../execution/index.ts";
import type { Operation } from "../../../../operation/index.ts";
import type { WorkloadPlace } from "../cluster/workload.ts";
import type { Snapshot } from "./snapshot.ts";

type Before = Partial<Snapshot>;

export const noUndo = (reason: string): Undo => ({ ok: false, reason });
/** Returns an undo by `operation`. `leaves` describes what it does not restore. */
export const undoBy = (operation: Operation, leaves: string | null = null): Undo => ({
  ok: true,
  operation,
  leaves,
});

export const NO_SNAPSHOT = noUndo("its state before is unknown");
export const UNCHANGED = noUndo("it changed nothing");

export function toRevision(target: WorkloadPlace, { revision }: Before, leaves: string | null = null): Undo {
  if (revision === undefined || revision === null)
    return noUndo("its revision before is unknown: roll back by hand");
  return undoBy({ kind: "kubernetes.rollout_undo", target, parameters: { to_revision: revision } }, leaves);
}

type Scaled = Extract<Operation, { kind: "kubernetes.scale" | "kubernetes.scale_out" }>;

export function toReplicas({ target }: Scaled, before: Before): Undo {
  const replicas = before.numbers?.replicas;
  if (replicas === undefined) return NO_SNAPSHOT;
  const leaves = target.kind === "statefulset" ? "volumes claimed for its pods stay, with their data" : null;
  return undoBy({ kind: "kubernetes.scale", target, parameters: { replicas } }, leaves);
}

const MOVED = "the evicted pods stay where they are";

type Scheduled = Extract<
  Operation,
  { kind: "kubernetes.cordon" | "kubernetes.uncordon" | "kubernetes.drain" }
>;

export function toSchedulable({ kind, target }: Scheduled, { unschedulable }: Before): Undo {
  if (unschedulable === undefined) return NO_SNAPSHOT;
  const cordons = kind !== "kubernetes.uncordon";
  if (unschedulable === cordons)
    return kind === "kubernetes.drain" ? noUndo(`it was already cordoned before, and ${MOVED}`) : UNCHANGED;
  const operation = {
    kind: cordons ? "kubernetes.uncordon" : "kubernetes.cordon",
    target,
    parameters: {},
  } as const;
  return undoBy(operation, kind === "kubernetes.drain" ? MOVED : null);
}
