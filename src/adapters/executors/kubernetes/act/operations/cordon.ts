import type { Node } from "../../cluster/objects.ts";
import type { Change } from "../change.ts";
import { changeOperation } from "../kubernetes-operation.ts";
import { stateOfNode } from "../snapshot.ts";
import { toSchedulable } from "../undo.ts";

/** Returns the change that sets whether a node takes new pods. */
export function schedulable(node: string, unschedulable: boolean): Change {
  return {
    place: { kind: "node", name: node },
    signed: ["unschedulable"],
    state: (object) => stateOfNode(object as Node),
    plan: (object) =>
      ((object as Node).spec?.unschedulable === true) === unschedulable
        ? { nothing: `it already ${unschedulable ? "accepts no new pods" : "accepts new pods"}` }
        : { patch: { spec: { unschedulable } } },
  };
}

export const cordon = changeOperation({
  kind: "kubernetes.cordon",
  change: (_cluster, { target }) => schedulable(target.name, true),
  undo: toSchedulable,
});

export const uncordon = changeOperation({
  kind: "kubernetes.uncordon",
  change: (_cluster, { target }) => schedulable(target.name, false),
  undo: toSchedulable,
});
