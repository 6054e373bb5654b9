import type { Resolution } from "../../../../../execution/index.ts";
import type { Cluster } from "../../cluster/client.ts";
import { templateHash } from "../../cluster/objects.ts";
import {
  presentRevision,
  previousRevision,
  readWorkload,
  revisionsOf,
  type Workload,
  type WorkloadPlace,
} from "../../cluster/workload.ts";
import type { Change } from "../change.ts";
import { changeOperation, type Of } from "../kubernetes-operation.ts";
import { toRevision, UNCHANGED } from "../undo.ts";
import { workloadChange } from "../workload.ts";

/** Rolls back to a revision by replacing the whole pod template; `to` undefined: to the previous one. */
function goneBack(cluster: Cluster, place: WorkloadPlace, to: number | undefined): Change {
  return workloadChange(place, {
    signed: ["template_hash"],
    async plan(workload: Workload) {
      if (workload.kind === "deployment" && workload.spec.paused === true)
        return { impossible: `the rollout of ${place.name} is paused: resume it first` };
      const revisions = await revisionsOf(cluster, workload);
      const wanted =
        to === undefined
          ? previousRevision(workload, revisions)
          : revisions.find(({ revision }) => revision === to);
      if (wanted === undefined)
        return { impossible: `revision ${to ?? "before"} of ${place.name} is not in its history` };
      const present = templateHash(workload.spec.template);
      if (templateHash(wanted.template) === present)
        return { nothing: `its template is already that of revision ${wanted.revision}` };
      return { patch: { spec: { template: { $patch: "replace", ...wanted.template } } } };
    },
  });
}

/** Resolves the revision to roll back to, so that approvers sign an exact number. */
async function exactRevision(
  cluster: Cluster,
  operation: Of<"kubernetes.rollout_undo">,
): Promise<Resolution> {
  const { target, parameters } = operation;
  const workload = await readWorkload(cluster, target);
  const revisions = await revisionsOf(cluster, workload);
  const { to_revision } = parameters;
  const known = revisions.map(({ revision }) => revision);
  if (to_revision !== undefined) {
    if (known.includes(to_revision)) return { result: "hit" };
    const message = `revision ${to_revision} of ${target.name} is not in its history; there are: ${known.join(", ")}`;
    return { result: "miss", message };
  }
  const previous = previousRevision(workload, revisions);
  if (previous === undefined) {
    const present = presentRevision(workload, revisions);
    const now = present === undefined ? "" : ` from the current one (${present})`;
    return { result: "miss", message: `no revision in the history of ${target.name} differs${now}` };
  }
  return { result: "hit", exact: { ...operation, parameters: { to_revision: previous.revision } } };
}

export const rolloutUndo = changeOperation({
  kind: "kubernetes.rollout_undo",
  change: (cluster, { target, parameters }) => goneBack(cluster, target, parameters.to_revision),
  exact: exactRevision,
  undo: ({ target, parameters }, before) =>
    before.revision === parameters.to_revision && before.revision != null
      ? UNCHANGED
      : toRevision(target, before),
});
