import { asc, count, type SQL, sql } from "drizzle-orm";
import type { PgColumn, PgTable } from "drizzle-orm/pg-core";
import type { Ctx } from "./ctx.ts";

/** The bounds of a deletion: only rows older than `before`, and at most `limit` of them. */
export type Forget = { before: Date; limit: number };

type Old = { table: PgTable; key: PgColumn; order: PgColumn; where: SQL | undefined };

/**
 * Deletes up to `limit` rows, oldest first, in one statement, and returns how many. Rows locked by another
 * transaction are skipped: they are in use, and the next run finds them.
 */
export async function forgetRows(
  ctx: Ctx,
  { table, key, order, where }: Old,
  limit: number,
): Promise<number> {
  const old = ctx.db
    .select({ key })
    .from(table)
    .where(where)
    .orderBy(asc(order))
    .limit(limit)
    .for("update", { skipLocked: true });
  // `array(…)` evaluates the subquery once; a plain subquery might be run, and lock rows, again for every row.
  const { rowCount } = await ctx.db.delete(table).where(sql`${key} = any(array(${old}))`);
  return rowCount ?? 0;
}

/** Counts the rows that could be deleted. */
export async function countRows(ctx: Ctx, { table, where }: Pick<Old, "table" | "where">): Promise<number> {
  const [row] = await ctx.db.select({ n: count() }).from(table).where(where);
  return row?.n ?? 0;
}
