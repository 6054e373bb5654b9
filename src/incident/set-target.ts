import { authorise } from "../access/index.ts";
import { type OperationTarget, operationTarget } from "../contract/incident.ts";
import type { Ctx } from "../db/ctx.ts";
import { canonicalJson } from "../lib/canonical-json.ts";
import { updateIncident } from "./store.ts";
import { note } from "./timeline.ts";
import type { IncidentRow } from "./types.ts";

const placeOf = ({ kind, name, namespace, cluster }: OperationTarget) =>
  `${kind} ${name}${namespace === undefined ? "" : ` in ${namespace}`}${cluster === undefined ? "" : ` on ${cluster}`}`;

/**
 * Sets the exact object found (a pod's deployment, say) as the incident's target; null keeps the one named by the alerts.
 * The transaction must have the incident locked.
 */
export async function setTarget(
  ctx: Ctx,
  incident: IncidentRow,
  target: OperationTarget | null,
): Promise<IncidentRow> {
  authorise(ctx.actor, "set targets of incidents", { people: "none", system: ["pipeline"] });
  const { incident_id, operation_target: before } = incident;
  if (target === null || canonicalJson(target) === canonicalJson(before)) return incident;
  const exact = operationTarget.parse(target);
  const named = before === null ? "" : `, named by its alerts: ${placeOf(before)}`;
  note(ctx, {
    incident_id,
    kind: "decision",
    text: `Target: ${placeOf(exact)}${named}`,
    data: { target },
  });
  return updateIncident(ctx, incident_id, { operation_target: exact });
}
