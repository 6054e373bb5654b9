import { authorise } from "../../access/index.ts";
import { record } from "../../audit/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { AwoooiError } from "../../lib/error.ts";
import { isActive } from "../converge.ts";
import { lockIncident, updateIncident } from "../store.ts";
import { note } from "../timeline.ts";
import type { IncidentRow } from "../types.ts";

/**
 * Closes a resolved incident: from then on the same trouble opens a new one. Closing it again changes nothing. Throws
 * `conflict` while it is active, `not_found`.
 */
export async function close(ctx: Ctx, input: { incident_id: string }): Promise<IncidentRow> {
  authorise(ctx.actor, "close incidents", { people: "responder", system: ["sweep"] });
  const { incident_id } = input;
  return transaction(ctx, async (tx) => {
    const incident = await lockIncident(tx, incident_id);
    if (incident === undefined) throw new AwoooiError("not_found", `There is no incident ${incident_id}.`);
    if (incident.status === "closed") return incident;
    if (isActive(incident)) {
      throw new AwoooiError("conflict", `${incident_id} is ${incident.status}: resolve it first.`);
    }
    const closed = await updateIncident(tx, incident_id, { status: "closed", closed_at: tx.clock.now() });
    note(tx, { incident_id, kind: "status", text: "Closed" });
    record(tx, { action: "incident.closed", subject: incident_id });
    return closed;
  });
}
