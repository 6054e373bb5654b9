import { assertPersonName, authorise } from "../../access/index.ts";
import { record } from "../../audit/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { AwoooiError } from "../../lib/error.ts";
import { lockIncident, updateIncident } from "../store.ts";
import { note } from "../timeline.ts";
import type { IncidentRow } from "../types.ts";

/**
 * Sets the owner of an incident: the name of a person or a team, or null for none. Throws `not_found`, and `invalid` for a
 * name that could be taken for another person's or the system's.
 */
export async function assign(
  ctx: Ctx,
  input: { incident_id: string; owner: string | null },
): Promise<IncidentRow> {
  authorise(ctx.actor, "assign incidents", { people: "responder" });
  const { incident_id, owner } = input;
  return transaction(ctx, async (tx) => {
    const incident = await lockIncident(tx, incident_id);
    if (incident === undefined) throw new AwoooiError("not_found", `There is no incident ${incident_id}.`);
    if (incident.owner === owner) return incident;
    if (owner !== null) await assertPersonName(tx, owner, "owner");
    const assigned = await updateIncident(tx, incident_id, { owner });
    const text = owner === null ? "Unassigned" : `Assigned to ${owner}`;
    note(tx, { incident_id, kind: "status", text });
    record(tx, { action: "incident.assigned", subject: incident_id, data: { owner } });
    return assigned;
  });
}
