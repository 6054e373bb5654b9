import type { Node } from "../../cluster/objects.ts";
import type { Change } from "../change.ts";
import { stateOfNode } from "../snapshot.ts";

/** Whether a node takes new pods. */
export function cordon(node: string, unschedulable: boolean): Change {
  return {
    place: { kind: "node", name: node },
    signed: ["unschedulable"],
    state: (object) => stateOfNode(object as Node),
    plan: (object) =>
      ((object as Node).spec?.unschedulable === true) === unschedulable
        ? { nothing: `it ${unschedulable ? "takes no new pods" : "takes new pods"} already` }
        : { patch: { spec: { unschedulable } } },
  };
}
