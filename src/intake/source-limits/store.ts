import { and, desc, eq, gte, lt, notInArray, sql } from "drizzle-orm";
import type { RefusedQuery } from "../../contract/source.ts";
import type { Ctx } from "../../db/ctx.ts";
import { jsonRows } from "../../db/json-rows.ts";
import { olderThanSeq } from "../../db/page.ts";
import { receipts, source_calls } from "../../db/schema.ts";

export type CallCount = Omit<typeof source_calls.$inferSelect, "seq">;
export type CallRow = typeof source_calls.$inferSelect;

/** Adds these counts to the stored ones. */
export async function addCalls(ctx: Ctx, rows: readonly CallCount[]): Promise<void> {
  await ctx.db.execute(sql`
    insert into source_calls (source, result, sender, hour, count, first_at, last_at, sample)
    select source, result, sender, hour, count, first_at, last_at, sample
      from json_to_recordset(${jsonRows(rows)}::json)
        as r(source text, result text, sender text, hour timestamptz, count bigint, first_at timestamptz,
             last_at timestamptz, sample text)
    on conflict (source, result, sender, hour) do update
       set count = source_calls.count + excluded.count, last_at = greatest(source_calls.last_at, excluded.last_at),
           sample = coalesce(source_calls.sample, excluded.sample)`);
}

/** Reads refused calls, the latest hour first; up to `limit` + 1 rows, where the extra one shows that there is a next page. */
export async function refusedPage(
  ctx: Ctx,
  { source, reason, sender, limit, cursor }: RefusedQuery,
  accepted: readonly string[],
): Promise<CallRow[]> {
  return ctx.db
    .select()
    .from(source_calls)
    .where(
      and(
        notInArray(source_calls.result, [...accepted]),
        source === undefined ? undefined : eq(source_calls.source, source),
        reason === undefined ? undefined : eq(source_calls.result, reason),
        sender === undefined ? undefined : eq(source_calls.sender, sender),
        olderThanSeq(cursor, source_calls.hour, source_calls.seq),
      ),
    )
    .orderBy(desc(source_calls.hour), desc(source_calls.seq))
    .limit(limit + 1);
}

export type CallTotal = { source: string; result: string; count: number; last_at: Date };

/** Returns, by source and result, the number of calls since `since`, and the time of the last call of all that are kept. */
export async function callTotals(ctx: Ctx, since: Date): Promise<CallTotal[]> {
  const { rows } = await ctx.db.execute<{
    source: string;
    result: string;
    count: string;
    last_at: string;
  }>(sql`
    select source, result, coalesce(sum(count) filter (where hour >= ${since.toISOString()}::timestamptz), 0) as count,
           max(last_at) as last_at
      from source_calls group by source, result`);
  return rows.map((row) => ({ ...row, count: Number(row.count), last_at: new Date(row.last_at) }));
}

/** Dead letters of one sender of a source: all that are kept, and (`lately`) those received since some moment. */
export type DeadLetterStock = {
  source: string;
  sender: string;
  deadLetters: number;
  bytes: number;
  lately: number;
  lately_bytes: number;
};

export async function deadLetterStock(ctx: Ctx, since: Date): Promise<DeadLetterStock[]> {
  const lately = gte(receipts.received_at, since);
  const size = sql`octet_length(${receipts.body})`;
  return ctx.db
    .select({
      source: receipts.source,
      sender: receipts.sender,
      deadLetters: sql<number>`count(*)`.mapWith(Number),
      bytes: sql<number>`sum(${size})`.mapWith(Number),
      lately: sql<number>`count(*) filter (where ${lately})`.mapWith(Number),
      lately_bytes: sql<number>`coalesce(sum(${size}) filter (where ${lately}), 0)`.mapWith(Number),
    })
    .from(receipts)
    .where(eq(receipts.state, "dead"))
    .groupBy(receipts.source, receipts.sender);
}

export function oldCalls(before: Date) {
  const where = lt(source_calls.hour, before);
  return { table: source_calls, key: source_calls.seq, order: source_calls.hour, where };
}
