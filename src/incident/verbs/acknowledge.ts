import { authorise } from "../../access/index.ts";
import { record } from "../../audit/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { actorLabel } from "../../lib/actor.ts";
import { AwoooiError } from "../../lib/error.ts";
import { isActive } from "../converge.ts";
import { lockIncident, updateIncident } from "../store.ts";
import { note } from "../timeline.ts";
import type { IncidentRow } from "../types.ts";

/**
 * Acknowledges an incident and makes the actor its owner; an acknowledgement by a sender sets no owner. The first one
 * stands; later ones change nothing.
 */
export async function acknowledge(ctx: Ctx, input: { incident_id: string }): Promise<IncidentRow> {
  authorise(ctx.actor, "acknowledge incidents", { people: "responder", senders: true });
  const { incident_id } = input;
  return transaction(ctx, async (tx) => {
    const incident = await lockIncident(tx, incident_id);
    if (incident === undefined) throw new AwoooiError("not_found", `There is no incident ${incident_id}.`);
    if (incident.acknowledged_at !== null) return incident;
    if (!isActive(incident)) {
      throw new AwoooiError(
        "conflict",
        `${incident_id} is ${incident.status}: there is nothing to acknowledge.`,
      );
    }
    const owner = incident.owner ?? (tx.actor.kind === "sender" ? null : actorLabel(tx.actor));
    const updated = await updateIncident(tx, incident_id, { acknowledged_at: tx.clock.now(), owner });
    note(tx, { incident_id, kind: "status", text: `Acknowledged by ${actorLabel(tx.actor)}` });
    record(tx, { action: "incident.acknowledged", subject: incident_id });
    return updated;
  });
}
