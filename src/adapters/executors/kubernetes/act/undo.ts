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

export const NO_SNAPSHOT = noUndo("what it was like before is not known");
export const UNCHANGED = noUndo("it changed nothing");

export function toRevision(target: WorkloadPlace, { revision }: Before, leaves: string | null = null): Undo {
  if (revision === undefined || revision === null)
    return noUndo("which revision it had before is not known: go back to one by hand");
  return undoBy({ kind: "kubernetes.rollout_undo", target, parameters: { to_revision: revision } }, leaves);
}

type Scaled = Extract<Operation, { kind: "kubernetes.scale" | "kubernetes.scale_out" }>;

export function toReplicas({ target }: Scaled, before: Before): Undo {
  const replicas = before.numbers?.replicas;
  if (replicas === undefined) return NO_SNAPSHOT;
  const leaves =
    target.kind === "statefulset"
      ? "volumes that were claimed for pods stay, and so does what is on them"
      : null;
  return undoBy({ kind: "kubernetes.scale", target, parameters: { replicas } }, leaves);
}

const MOVED = "the pods that were moved stay where they are";

type Scheduled = Extract<
  Operation,
  { kind: "kubernetes.cordon" | "kubernetes.uncordon" | "kubernetes.drain" }
>;

export function toSchedulable({ kind, target }: Scheduled, { unschedulable }: Before): Undo {
  if (unschedulable === undefined) return NO_SNAPSHOT;
  const cordons = kind !== "kubernetes.uncordon";
  if (unschedulable === cordons)
    return kind === "kubernetes.drain"
      ? noUndo(`it took no new pods before either, and ${MOVED}`)
      : UNCHANGED;
  const operation = {
    kind: cordons ? "kubernetes.uncordon" : "kubernetes.cordon",
    target,
    parameters: {},
  } as const;
  return undoBy(operation, kind === "kubernetes.drain" ? MOVED : null);
}
