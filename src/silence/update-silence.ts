import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { AwoooiError } from "../lib/error.ts";
import { checkTimes } from "./silence.ts";
import { statusOf } from "./status.ts";
import { changeSilence, countChange, lockSilence } from "./store.ts";
import type { SilenceRow } from "./types.ts";

export type SilenceChange = {
  silence_id: string;
  starts_at?: Date | undefined;
  ends_at?: Date | undefined;
  comment?: string | undefined;
};

/**
 * Changes the end and the comment of a silence and, before it has begun, its start. Its matchers cannot change: that would be
 * another silence. Throws `not_found`, `expired`, and `invalid` for impossible times.
 */
export async function updateSilence(ctx: Ctx, input: SilenceChange): Promise<SilenceRow> {
  authorise(ctx.actor, "change silences", { people: "responder" });
  const { silence_id } = input;
  return transaction(ctx, async (tx) => {
    const before = await lockSilence(tx, silence_id);
    if (before === undefined) throw new AwoooiError("not_found", `There is no silence ${silence_id}.`);
    const now = tx.clock.now();
    const status = statusOf(before, now);
    if (status === "expired")
      throw new AwoooiError("expired", `${silence_id} has ended: create another one.`);
    const { starts_at = before.starts_at, ends_at = before.ends_at, comment = before.comment } = input;
    if (status === "active" && starts_at.getTime() !== before.starts_at.getTime())
      throw new AwoooiError("invalid", `${silence_id} has begun.`, {
        errors: [{ path: "starts_at", message: "can no longer change" }],
      });
    checkTimes({ starts_at, ends_at }, now);
    const after = { starts_at: status === "pending" && starts_at < now ? now : starts_at, ends_at, comment };
    const changed = await changeSilence(tx, silence_id, after);
    await countChange(tx);
    record(tx, { action: "silence.updated", subject: silence_id, data: after });
    return changed;
  });
}
