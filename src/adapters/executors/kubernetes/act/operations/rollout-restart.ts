import type { WorkloadPlace } from "../../cluster/workload.ts";
import { EXECUTION, RESTARTED_AT } from "../annotations.ts";
import type { Change } from "../change.ts";
import { changeOperation } from "../kubernetes-operation.ts";
import { noUndo } from "../undo.ts";
import { workloadChange } from "../workload.ts";

/** Replaces all pods by annotating the template with the time, as kubectl does, and with the execution id. */
function restarted(place: WorkloadPlace): Change {
  return workloadChange(place, {
    signed: ["template_hash"],
    plan(workload, { execution_id, at }) {
      if (workload.kind === "deployment" && workload.spec.paused === true)
        return {
          impossible: `the rollout of ${place.name} is paused: a restart would wait until it is resumed`,
        };
      const annotations = { [RESTARTED_AT]: at.toISOString(), [EXECUTION]: execution_id };
      return { patch: { spec: { template: { metadata: { annotations } } } } };
    },
  });
}

export const rolloutRestart = changeOperation({
  kind: "kubernetes.rollout_restart",
  change: (_cluster, { target }) => restarted(target),
  undo: () => noUndo("the old pods were replaced; a restart cannot be undone"),
});
