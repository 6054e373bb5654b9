import type { Undo } from "../../../../execution/index.ts";
import type { Operation } from "../../../../operation/index.ts";
import type { WorkloadPlace } from "../cluster/workload.ts";
import type { Snapshot } from "./snapshot.ts";

type Of<Kind extends Operation["kind"]> = Extract<Operation, { kind: Kind }>;
type Before = Partial<Snapshot>;

const no = (reason: string): Undo => ({ ok: false, reason });
const yes = (operation: Operation, leaves: string | null = null): Undo => ({ ok: true, operation, leaves });

const NO_SNAPSHOT = no("what it was like before is not known");
const UNCHANGED = no("it changed nothing");

function toRevision(target: WorkloadPlace, before: Before, leaves: string | null = null): Undo {
  const { revision } = before;
  if (revision === undefined || revision === null)
    return no("which revision it had before is not known: go back to one by hand");
  return yes({ kind: "kubernetes.rollout_undo", target, parameters: { to_revision: revision } }, leaves);
}

function toReplicas({ target }: Of<"kubernetes.scale" | "kubernetes.scale_out">, before: Before): Undo {
  const replicas = before.numbers?.replicas;
  if (replicas === undefined) return NO_SNAPSHOT;
  const leaves =
    target.kind === "statefulset"
      ? "volumes that were claimed for pods stay, and so does what is on them"
      : null;
  return yes({ kind: "kubernetes.scale", target, parameters: { replicas } }, leaves);
}

function toNumbers({ target, parameters }: Of<"kubernetes.patch">, before: Before): Undo {
  const { numbers = {} } = before;
  const { template, ...changed } = parameters.patch.spec as Record<string, unknown>;
  const names = Object.keys(changed).filter((name) => changed[name] !== undefined);
  if (template !== undefined) {
    const leaves = names.length === 0 ? null : `${names.join(", ")} stay as they were set`;
    return toRevision(target as WorkloadPlace, before, leaves);
  }
  const old = Object.fromEntries(names.flatMap((name) => (name in numbers ? [[name, numbers[name]]] : [])));
  if (Object.keys(old).length < names.length) return NO_SNAPSHOT;
  if (names.every((name) => old[name] === changed[name])) return UNCHANGED;
  return yes({ kind: "kubernetes.patch", target, parameters: { patch: { spec: old } } } as Operation);
}

const MOVED = "the pods that were moved stay where they are";

function toSchedulable(
  { kind, target }: Of<"kubernetes.cordon" | "kubernetes.uncordon" | "kubernetes.drain">,
  before: Before,
): Undo {
  const { unschedulable } = before;
  if (unschedulable === undefined) return NO_SNAPSHOT;
  const cordons = kind !== "kubernetes.uncordon";
  if (unschedulable === cordons)
    return kind === "kubernetes.drain" ? no(`it took no new pods before either, and ${MOVED}`) : UNCHANGED;
  const operation = {
    kind: cordons ? "kubernetes.uncordon" : "kubernetes.cordon",
    target,
    parameters: {},
  } as const;
  return yes(operation, kind === "kubernetes.drain" ? MOVED : null);
}

/** How a run is taken back, from its snapshot alone. Pure. */
export function undoOf(operation: Operation, snapshot: Record<string, unknown>): Undo {
  const before = snapshot as Before;
  switch (operation.kind) {
    case "kubernetes.scale":
      return before.numbers?.replicas === operation.parameters.replicas
        ? UNCHANGED
        : toReplicas(operation, before);
    case "kubernetes.scale_out": {
      const enough = (before.numbers?.replicas ?? 0) >= operation.parameters.at_least;
      return enough ? UNCHANGED : toReplicas(operation, before);
    }
    case "kubernetes.set_image":
    case "kubernetes.set_resources":
      return toRevision(operation.target, before);
    case "kubernetes.rollout_undo":
      return before.revision === operation.parameters.to_revision && before.revision != null
        ? UNCHANGED
        : toRevision(operation.target, before);
    case "kubernetes.patch":
      return toNumbers(operation, before);
    case "kubernetes.cordon":
    case "kubernetes.uncordon":
    case "kubernetes.drain":
      return toSchedulable(operation, before);
    case "kubernetes.rollout_restart":
      return no("the pods that were replaced are gone; a restart leaves nothing to take back");
    case "kubernetes.delete_pod":
      return no("a pod that was deleted is gone; its controller has made another one");
    default:
      return no("it changes nothing");
  }
}
