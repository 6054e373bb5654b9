import type { Check } from "../../../../contract/approval.ts";
import type { Changeable } from "../cluster/objects.ts";
import { resourceOf, templateHash } from "../cluster/objects.ts";
import type { Permission } from "../cluster/permission.ts";
import {
  asWorkload,
  desiredReplicas,
  isObserved,
  pausedReason,
  type Workload,
  type WorkloadPlace,
} from "../cluster/workload.ts";
import type { Change, Mark, Planned } from "./change.ts";
import { ownerCheck } from "./checks/owner.ts";
import { type Signed, stateOf } from "./snapshot.ts";

type Parts = {
  signed: readonly Signed[];
  plan(workload: Workload, mark: Mark): Planned | Promise<Planned>;
  checks?(workload: Workload): Promise<Check[]>;
};

/** Returns the list permissions needed for the snapshot and the undo. */
function alsoRead({ kind, namespace }: WorkloadPlace): Permission[] {
  const history = kind === "deployment" ? "replicaset" : "controllerrevision";
  return [history, "pod"].map((one) => {
    const { group, resource } = resourceOf(one);
    return { verb: "list", group, resource, namespace };
  });
}

function rolloutCheck(workload: Workload): Check {
  const name = "rollout";
  const still = pausedReason(workload);
  if (still !== undefined) return { name, passed: false, message: still };
  return isObserved(workload)
    ? { name, passed: true, message: "its controller has seen its latest change" }
    : { name, passed: false, message: "its controller has not seen its latest change yet" };
}

function affected(before: Workload, after: Workload): number {
  if (templateHash(before.spec.template) !== templateHash(after.spec.template))
    return desiredReplicas(before);
  return Math.max(desiredReplicas(before) - desiredReplicas(after), 0);
}

/** Builds the change of a deployment, stateful set or daemon set. */
export function workloadChange(place: WorkloadPlace, parts: Parts): Change {
  const { kind, name, namespace } = place;
  const as = (object: Changeable) => asWorkload(kind, object);
  return {
    place: { kind, name, namespace },
    signed: parts.signed,
    state: (object) => stateOf(as(object)),
    plan: (object, mark) => parts.plan(as(object), mark),
    permissions: alsoRead(place),
    async checks(object) {
      const workload = as(object);
      const more = (await parts.checks?.(workload)) ?? [];
      const owner = ownerCheck(object.metadata);
      return [rolloutCheck(workload), ...more, ...(owner === undefined ? [] : [owner])];
    },
    affectedPods: (before, after) => affected(as(before), as(after)),
  };
}
