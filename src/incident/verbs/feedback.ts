import { authorise } from "../../access/index.ts";
import { record } from "../../audit/index.ts";
import type { Feedback } from "../../contract/incident.ts";
import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { AwoooiError } from "../../lib/error.ts";
import { lockIncident, updateIncident } from "../store.ts";
import { note } from "../timeline.ts";
import type { IncidentRow } from "../types.ts";

/**
 * Stores people's feedback on how an incident is or was handled, even while it is active; later feedback replaces it field
 * by field. Learning reads it only when the incident is resolved, as it stands then. Throws `not_found`.
 */
export async function giveFeedback(
  ctx: Ctx,
  input: Feedback & { incident_id: string },
): Promise<IncidentRow> {
  authorise(ctx.actor, "give feedback", { people: "responder" });
  const { incident_id, ...feedback } = input;
  return transaction(ctx, async (tx) => {
    const incident = await lockIncident(tx, incident_id);
    if (incident === undefined) throw new AwoooiError("not_found", `There is no incident ${incident_id}.`);
    const updated = await updateIncident(tx, incident_id, {
      feedback: { ...incident.feedback, ...feedback },
    });
    const score = feedback.effectiveness_score;
    const said = [score === undefined ? "" : `${score} of 5`, feedback.human_feedback ?? ""].filter(Boolean);
    note(tx, {
      incident_id,
      kind: "comment",
      text: `Feedback: ${said.join(", ") || "noted"}`,
      data: feedback,
    });
    record(tx, { action: "incident.feedback", subject: incident_id, data: feedback });
    return updated;
  });
}
