import { and, asc, count, desc, eq, gt, lt, or, sql } from "drizzle-orm";
import type { DeadLetterQuery } from "../../contract/dead-letter.ts";
import type { Ctx } from "../../db/ctx.ts";
import { decodeCursor } from "../../db/page.ts";
import { receipts } from "../../db/schema.ts";

const deadLetterColumns = {
  seq: receipts.seq,
  source: receipts.source,
  sender: receipts.sender,
  state: receipts.state,
  error: receipts.error,
  replays: receipts.replays,
  alert_count: receipts.alert_count,
  bytes: sql<number>`octet_length(${receipts.body})`,
  received_at: receipts.received_at,
  processed_at: receipts.processed_at,
};

export type DeadLetterRow = Pick<
  typeof receipts.$inferSelect,
  Exclude<keyof typeof deadLetterColumns, "bytes">
> & { bytes: number };

/** Reads dead letters, newest first, up to `limit` + 1: the extra one shows that there is a next page. */
export async function deadLetterPage(ctx: Ctx, query: DeadLetterQuery): Promise<DeadLetterRow[]> {
  const { source, limit } = query;
  const before = query.cursor === undefined ? undefined : Number(decodeCursor(query.cursor).id);
  if (before !== undefined && !Number.isSafeInteger(before)) return [];
  return ctx.db
    .select(deadLetterColumns)
    .from(receipts)
    .where(
      and(
        eq(receipts.state, "dead"),
        source === undefined ? undefined : eq(receipts.source, source),
        before === undefined ? undefined : lt(receipts.seq, before),
      ),
    )
    .orderBy(desc(receipts.seq))
    .limit(limit + 1);
}

/** Returns a receipt that is a dead letter or was one. */
export async function findDeadLetter(ctx: Ctx, seq: number): Promise<DeadLetterRow | undefined> {
  const [row] = await ctx.db
    .select(deadLetterColumns)
    .from(receipts)
    .where(and(eq(receipts.seq, seq), or(eq(receipts.state, "dead"), gt(receipts.replays, 0))));
  return row;
}

export async function deadLetterBody(ctx: Ctx, seq: number): Promise<Buffer | undefined> {
  const [row] = await ctx.db.select({ body: receipts.body }).from(receipts).where(eq(receipts.seq, seq));
  return row?.body;
}

/** Makes a dead letter wait to be processed again; returns undefined when it is not a dead letter (any more). */
export async function reviveReceipt(ctx: Ctx, seq: number): Promise<DeadLetterRow | undefined> {
  const [row] = await ctx.db
    .update(receipts)
    .set({ state: "received", replays: sql`${receipts.replays} + 1`, tries: 1 })
    .where(and(eq(receipts.seq, seq), eq(receipts.state, "dead")))
    .returning(deadLetterColumns);
  return row;
}

/** Returns the number of dead letters of each source that has any. */
export async function deadLetterCounts(ctx: Ctx): Promise<{ source: string; count: number }[]> {
  return ctx.db
    .select({ source: receipts.source, count: count() })
    .from(receipts)
    .where(eq(receipts.state, "dead"))
    .groupBy(receipts.source)
    .orderBy(asc(receipts.source));
}
