import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { incidentsById, note } from "../incident/index.ts";
import { actorLabel } from "../lib/actor.ts";
import { AwoooiError } from "../lib/error.ts";
import { statusOf } from "./status.ts";
import { changeSilence, countChange, lockSilence } from "./store.ts";
import type { SilenceRow } from "./types.ts";

/** Ends a silence now; alerts that it kept silent and that still fire take effect. Throws `not_found` and `expired`. */
export async function endSilence(ctx: Ctx, { silence_id }: { silence_id: string }): Promise<SilenceRow> {
  authorise(ctx.actor, "end silences", { people: "responder" });
  return transaction(ctx, async (tx) => {
    const before = await lockSilence(tx, silence_id);
    if (before === undefined) throw new AwoooiError("not_found", `There is no silence ${silence_id}.`);
    const now = tx.clock.now();
    const status = statusOf(before, now);
    if (status === "expired")
      throw new AwoooiError("expired", `${silence_id} ended at ${before.ends_at.toISOString()}.`);
    const pending = status === "pending" ? { starts_at: now } : {};
    const change = { ...pending, ends_at: now, ended_by: actorLabel(tx.actor), ended_by_kind: tx.actor.kind };
    const ended = await changeSilence(tx, silence_id, change);
    await countChange(tx);
    record(tx, { action: "silence.ended", subject: silence_id, data: { planned: before.ends_at } });
    const { incident_id } = before;
    // The incident may have been deleted since.
    if (incident_id !== null && (await incidentsById(tx, [incident_id])).has(incident_id))
      note(tx, {
        incident_id,
        kind: "status",
        text: `${actorLabel(tx.actor)} ended the silence`,
        data: { silence_id },
      });
    return ended;
  });
}
