import { incidentsWithSignature, supersedeForMerge } from "../../approval/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { incidentsInExecution } from "../../execution/index.ts";
import {
  admitMerging,
  endLink,
  getIncident,
  type IncidentRow,
  isActive,
  keepIncident,
  lockFingerprints,
  lockIncidents,
  mergeIncidents,
  release,
  storeLesson,
} from "../../incident/index.ts";
import { actorLabel } from "../../lib/actor.ts";
import { AwoooiError } from "../../lib/error.ts";
import { notify } from "../../outbox/index.ts";

const conflict = (text: string) => new AwoooiError("conflict", text);

const itself = () =>
  new AwoooiError("invalid", "An incident cannot be merged into itself.", {
    errors: [{ path: "into", message: "name another incident" }],
  });

const withComment = (text: string, comment: string | undefined) =>
  comment === undefined ? text : `${text}: ${comment}`;

async function mustNotBeSigned(ctx: Ctx, incident_id: string): Promise<void> {
  const signed = await incidentsWithSignature(ctx, [incident_id]);
  const acting = await incidentsInExecution(ctx, [incident_id]);
  if (signed.has(incident_id) || acting.has(incident_id))
    throw conflict(`A plan for ${incident_id} is signed or being carried out: wait for its result.`);
}

/**
 * Makes an incident an effect of another, and teaches that their fingerprints are merged next time. If `into` is itself an
 * effect, its main incident is used. Repeating a merge changes nothing. Throws `invalid` for an incident and itself;
 * `conflict` when one of the two is over, the incident is an effect of a third, `into` is one of its own effects, or a
 * plan for it is signed or being executed; `not_found`.
 */
export async function mergeManually(
  ctx: Ctx,
  input: { incident_id: string; into: string; comment?: string | undefined },
): Promise<IncidentRow> {
  admitMerging(ctx);
  const { incident_id, into, comment } = input;
  return transaction(ctx, async (tx) => {
    const named = await getIncident(tx, into);
    const main_id = named.merged_into ?? into;
    const main = await getIncident(tx, main_id);
    const before = await getIncident(tx, incident_id);
    // The same lock order as intake, so that neither deadlocks with the other.
    await lockFingerprints(tx, [before.fingerprint, main.fingerprint]);
    await mustNotBeSigned(tx, incident_id);
    if (incident_id === into) throw itself();
    if (main_id === incident_id) throw conflict(`${into} is an effect of ${incident_id}: split it first.`);
    const rows = await lockIncidents(tx, [incident_id, main_id]);
    const effect = rows.get(incident_id) ?? before;
    if (effect.merged_into === main_id) return effect;
    if (effect.merged_into !== null)
      throw conflict(`${incident_id} is an effect of ${effect.merged_into}: split it first.`);
    for (const one of [effect, rows.get(main_id) ?? main])
      if (!isActive(one))
        throw conflict(`${one.incident_id} is ${one.status}: only active incidents can be merged.`);
    const reasons = [withComment(`merged by ${actorLabel(tx.actor)}`, comment)];
    const merged = await mergeIncidents(tx, [
      { effect_id: incident_id, main_id, reasons, cause_reason: null },
    ]);
    const done = merged.effects.get(incident_id);
    if (done === undefined) throw conflict(`${into} has just become an effect of another: try again.`);
    await supersedeForMerge(tx, new Map([[incident_id, `merged into ${main_id}`]]));
    await storeLesson(tx, "together", effect, main);
    return done;
  });
}

/**
 * Makes an effect an incident of its own, announced again at once, and teaches that its fingerprint and the main
 * incident's are kept apart. Changes nothing where the incident is not merged. Throws `not_found`.
 */
export async function splitManually(
  ctx: Ctx,
  input: { incident_id: string; comment?: string | undefined },
): Promise<IncidentRow> {
  admitMerging(ctx);
  const { incident_id, comment } = input;
  return transaction(ctx, async (tx) => {
    await getIncident(tx, incident_id);
    const effect = (await lockIncidents(tx, [incident_id])).get(incident_id);
    if (effect === undefined) throw new AwoooiError("not_found", `There is no incident ${incident_id}.`);
    if (effect.merged_into === null) return effect;
    const reason = withComment(`split by ${actorLabel(tx.actor)}`, comment);
    const own = await release(tx, effect, reason);
    // Where the main incident has been deleted, there is no lesson to keep.
    if (await keepIncident(tx, effect.merged_into)) {
      const main = await getIncident(tx, effect.merged_into);
      const by = { ended_by: actorLabel(tx.actor), ended_by_kind: tx.actor.kind };
      await endLink(tx, incident_id, main.incident_id, by);
      await storeLesson(tx, "apart", effect, main);
    }
    if (isActive(own)) notify(tx, { topic: "incident.released", incident_id, payload: { reason } });
    return own;
  });
}
