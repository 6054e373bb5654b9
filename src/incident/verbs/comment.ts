import { authorise } from "../../access/index.ts";
import { record } from "../../audit/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { AwoooiError } from "../../lib/error.ts";
import { findIncident } from "../store.ts";
import { note } from "../timeline.ts";
import type { IncidentRow } from "../types.ts";

/** Adds a person's comment to an incident's timeline, whatever its state. */
export async function comment(ctx: Ctx, input: { incident_id: string; text: string }): Promise<IncidentRow> {
  authorise(ctx.actor, "comment on incidents", { people: "responder" });
  const { incident_id, text } = input;
  return transaction(ctx, async (tx) => {
    const incident = await findIncident(tx, incident_id);
    if (incident === undefined) throw new AwoooiError("not_found", `There is no incident ${incident_id}.`);
    note(tx, { incident_id, kind: "comment", text });
    record(tx, { action: "incident.commented", subject: incident_id, data: { text } });
    return incident;
  });
}
