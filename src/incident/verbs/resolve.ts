import { authorise } from "../../access/index.ts";
import { record } from "../../audit/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { actorLabel } from "../../lib/actor.ts";
import { AwoooiError } from "../../lib/error.ts";
import { enqueue, notify } from "../../outbox/index.ts";
import { isActive } from "../converge.ts";
import { insertResolution } from "../resolution/store.ts";
import { lockIncident, updateIncident } from "../store.ts";
import { note } from "../timeline.ts";
import type { IncidentRow, ResolvedThrough } from "../types.ts";

export type ResolveInput = {
  incident_id: string;
  comment?: string | undefined;
  /** Set by parts of the system; a person's resolution is always `person`. */
  through?: ResolvedThrough;
  execution_id?: string;
};

const WORDS: Record<ResolvedThrough, string> = {
  repair: "Resolved: the repair was verified",
  notice: "Resolved: its alerts stopped firing",
  person: "Resolved by hand",
  silence: "Resolved: its alerts are no longer sent",
};

/** Resolves an incident. Resolving one that is resolved or closed already changes nothing. */
export async function resolve(ctx: Ctx, input: ResolveInput): Promise<IncidentRow> {
  authorise(ctx.actor, "resolve incidents", { people: "responder", system: ["intake", "pipeline", "sweep"] });
  const { incident_id, comment } = input;
  return transaction(ctx, async (tx) => {
    const incident = await lockIncident(tx, incident_id);
    if (incident === undefined) throw new AwoooiError("not_found", `There is no incident ${incident_id}.`);
    if (!isActive(incident)) return incident;
    const through = tx.actor.kind === "person" ? "person" : (input.through ?? "notice");
    const resolution = incident.resolution + 1;
    const resolved_at = tx.clock.now();
    const resolved_by = actorLabel(tx.actor);
    const resolved = await updateIncident(tx, incident_id, {
      status: "resolved",
      resolved_at,
      resolution,
      resolved_through: through,
      flapping: false,
      flaps: 0,
    });
    const data = { through, resolution, ...(comment === undefined ? {} : { comment }) };
    const text = comment === undefined ? WORDS[through] : `${WORDS[through]}: ${comment}`;
    note(tx, { incident_id, kind: "status", text, data });
    record(tx, { action: "incident.resolved", subject: incident_id, data });
    // An effect sends no notice: its main incident does.
    if (incident.merged_into === null)
      notify(tx, { topic: "incident.resolved", incident_id, payload: { through } });
    const execution_id = input.execution_id ?? null;
    const how = { incident_id, resolution, through, resolved_by, execution_id };
    // The follow-up is recorded in the tables too, where the sweep finds work that was lost.
    const resolved_by_kind = tx.actor.kind;
    await insertResolution(tx, { ...how, resolved_by_kind, anomaly_key: incident.anomaly_key, resolved_at });
    enqueue(tx, { kind: "conclude", ...how, resolved_at: resolved_at.toISOString() });
    return resolved;
  });
}
