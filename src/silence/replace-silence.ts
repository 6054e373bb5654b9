import { isDeepStrictEqual } from "node:util";
import { authorise } from "../access/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { AwoooiError } from "../lib/error.ts";
import { checkMatchers } from "./check-matchers.ts";
import { endSilence } from "./end-silence.ts";
import { type SilenceInput, silence } from "./silence.ts";
import { statusOf } from "./status.ts";
import { lockSilence } from "./store.ts";
import type { SilenceRow } from "./types.ts";
import { updateSilence } from "./update-silence.ts";

/**
 * Replaces a silence by `input`, as Alertmanager does: where only times and comment change and it is not over, it is updated;
 * otherwise it ends and a new one is created. Throws `not_found`.
 */
export async function replaceSilence(
  ctx: Ctx,
  silence_id: string,
  input: SilenceInput & { starts_at: Date; ends_at: Date },
): Promise<SilenceRow> {
  authorise(ctx.actor, "change silences", { people: "responder" });
  checkMatchers(input.matchers);
  return transaction(ctx, async (tx) => {
    const before = await lockSilence(tx, silence_id);
    if (before === undefined) throw new AwoooiError("not_found", `There is no silence ${silence_id}.`);
    const status = statusOf(before, tx.clock.now());
    const begun = status === "active" && before.starts_at.getTime() !== input.starts_at.getTime();
    const same = isDeepStrictEqual(before.matchers, [...input.matchers]);
    if (same && !begun && status !== "expired") return updateSilence(tx, { ...input, silence_id });
    if (status !== "expired") await endSilence(tx, { silence_id });
    return silence(tx, input);
  });
}
