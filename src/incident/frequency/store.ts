import { and, count, eq, gt } from "drizzle-orm";
import type { Ctx } from "../../db/ctx.ts";
import { oneOf } from "../../db/one-of.ts";
import { executions, repair_records } from "../../db/schema.ts";

/** Returns, per anomaly key, the number of repairs since `since` that policy approved, not people. */
export async function automaticRepairsSince(
  ctx: Ctx,
  anomaly_keys: readonly string[],
  since: Date,
): Promise<Map<string, number>> {
  const rows = await ctx.db
    .select({ key: repair_records.anomaly_key, n: count() })
    .from(repair_records)
    .innerJoin(executions, eq(executions.execution_id, repair_records.execution_id))
    .where(
      and(
        oneOf(repair_records.anomaly_key, anomaly_keys),
        gt(repair_records.at, since),
        eq(executions.caller, "auto_repair"),
      ),
    )
    .groupBy(repair_records.anomaly_key);
  return new Map(rows.map((row) => [row.key, row.n]));
}
