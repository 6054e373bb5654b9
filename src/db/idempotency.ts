import { and, asc, eq, inArray, lt, sql } from "drizzle-orm";
import { addSeconds } from "../lib/clock.ts";
import { AwoooiError } from "../lib/error.ts";
import type { Ctx } from "./ctx.ts";
import { idempotency_keys } from "./schema.ts";
import { transaction } from "./transaction.ts";

/** A call that its caller may repeat: `scope` names the caller, `request` is the SHA-256 of what is asked. */
export type KeyedCall = { scope: string; key: string; request: string };

/** How long a key is kept, in seconds. */
const KEPT = 24 * 3600;
// Every keyed call deletes up to this many expired keys, so that no separate job is needed.
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

/** Claims the key for this call; returns false if an earlier call has it. Waits for a call with the key that still runs. */
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
 * Runs `work` for the first call with this key, and stores its answer in the same transaction; later and concurrent
 * calls get that answer. If `work` fails, nothing is stored and the key stays free. `first_at` is the time of the
 * first call. Throws `idempotency_key_reused` when the key was used for a different request.
 */
export async function runOnce(
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
        "This Idempotency-Key was used for another request within the last 24 hours: use a new one.",
      );
    }
    return { answer: first.answer, repeated: true, first_at: first.created_at };
  });
}
