import { authorise } from "../../access/index.ts";
import { record } from "../../audit/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { actorLabel } from "../../lib/actor.ts";
import { AwoooiError } from "../../lib/error.ts";
import { notify } from "../../outbox/index.ts";
import { isActive } from "../converge.ts";
import { release } from "../linking/merge.ts";
import { getIncident } from "../read.ts";
import { latestIncidents, lockFingerprints, lockIncident, updateIncident } from "../store.ts";
import { note } from "../timeline.ts";
import type { IncidentRow } from "../types.ts";

/** Whether a person reopened the incident: it was resolved before, and `resolved_through` has been cleared. */
export function isReopenedByHand({ resolution, resolved_through }: IncidentRow): boolean {
  return resolution > 0 && resolved_through === null;
}

/**
 * Reopens an incident that a person finds is not over. Until it is resolved again it does not end for want of firing
 * alerts. Reopening an active one changes nothing. Throws `conflict` when the same trouble has another active incident,
 * `not_found`.
 */
export async function reopen(
  ctx: Ctx,
  input: { incident_id: string; comment?: string | undefined },
): Promise<IncidentRow> {
  authorise(ctx.actor, "reopen incidents", { people: "responder" });
  const { incident_id, comment } = input;
  return transaction(ctx, async (tx) => {
    // The same lock order as intake, so that neither deadlocks with the other.
    const { fingerprint } = await getIncident(tx, incident_id);
    await lockFingerprints(tx, [fingerprint]);
    const incident = await lockIncident(tx, incident_id);
    if (incident === undefined) throw new AwoooiError("not_found", `There is no incident ${incident_id}.`);
    if (isActive(incident)) return incident;
    const latest = (await latestIncidents(tx, [fingerprint])).get(fingerprint);
    if (latest !== undefined && isActive(latest)) {
      throw new AwoooiError("conflict", `The same problem is already open as ${latest.incident_id}.`);
    }
    const reopened = await updateIncident(tx, incident_id, {
      status: "investigating",
      resolved_at: null,
      closed_at: null,
      resolved_through: null,
    });
    // Since a person found that it is not over, it is no longer an effect.
    const own = await release(tx, reopened, "it was reopened by hand");
    const text = `Reopened by ${actorLabel(tx.actor)}${comment === undefined ? "" : `: ${comment}`}`;
    note(tx, { incident_id, kind: "status", text });
    record(tx, { action: "incident.reopened", subject: incident_id, data: { comment } });
    notify(tx, { topic: "incident.reopened", incident_id, payload: { repair_failed: false } });
    return own;
  });
}
