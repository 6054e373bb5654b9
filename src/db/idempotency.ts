import { and, asc, eq, inArray, lt, sql } from "drizzle-orm";
import { addSeconds } from "../lib/clock.ts";
import { AwoooiError } from "../lib/error.ts";
import type { Ctx } from "./ctx.ts";
import { idempotency_keys } from "./schema.ts";
import { transaction } from "./transaction.ts";

/** A call that its caller may repeat: whose key it is, the key, and the SHA-256 of what is asked. */
export type KeyedCall = { scope: string; key: string; request: string };

/** How long a key is known, in seconds. */
const KEPT = 24 * 3600;
// Each keyed call clears away some of what is too old, so that no job has to.
const CLEARED = 100;

async function clear(ctx: Ctx, before: Date): Promise<void> {
  const old = ctx.db
    .select({ at: sql`ctid` })
    .from(idempotency_keys)
    .where(lt(idempotency_keys.created_at, before))
    .orderBy(asc(idempotency_keys.created_at))
    .limit(CLEARED)
    .for("update", { skipLocked: true });
  await ctx.db.delete(idempotency_keys).where(inArray(sql`ctid`, old));
}

/** Takes the key for this call: false when an earlier one has it. Waits for one that is under way. */
async function claim(ctx: Ctx, call: KeyedCall, now: Date): Promise<boolean> {
  const rows = await ctx.db
    .insert(idempotency_keys)
    .values({ ...call, created_at: now })
    .onConflictDoUpdate({
      target: [idempotency_keys.scope, idempotency_keys.key],
      set: { request: call.request, answer: null, created_at: now },
      setWhere: lt(idempotency_keys.created_at, addSeconds(now, -KEPT)),
    })
    .returning({ key: idempotency_keys.key });
  return rows.length > 0;
}

/**
 * Runs `work` for the first of the calls with this key, in one transaction with the note that it ran: for
 * the others, also those at the same moment, it gives what `work` returned then. Nothing is kept of work
 * that fails. `first_at` is when the first of them came. Throws `idempotency_key_reused` when something
 * else was asked under the key.
 */
export async function once(
  ctx: Ctx,
  call: KeyedCall,
  work: (ctx: Ctx) => Promise<string | null>,
): Promise<{ answer: string | null; repeated: boolean; first_at: Date }> {
  return transaction(ctx, async (tx) => {
    const now = tx.clock.now();
    const own = and(eq(idempotency_keys.scope, call.scope), eq(idempotency_keys.key, call.key));
    await clear(tx, addSeconds(now, -KEPT));
    if (await claim(tx, call, now)) {
      const answer = await work(tx);
      await tx.db.update(idempotency_keys).set({ answer }).where(own);
      return { answer, repeated: false, first_at: now };
    }
    const [first] = await tx.db.select().from(idempotency_keys).where(own);
    if (first?.request !== call.request) {
      throw new AwoooiError(
        "idempotency_key_reused",
        "This Idempotency-Key was used for another request within the last 24 hours: take a new one.",
      );
    }
    return { answer: first.answer, repeated: true, first_at: first.created_at };
  });
}
