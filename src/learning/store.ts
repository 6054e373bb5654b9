import { and, asc, desc, eq, lt, sql } from "drizzle-orm";
import type { Ctx } from "../db/ctx.ts";
import { jsonRows } from "../db/json-rows.ts";
import { repair_records } from "../db/schema.ts";

export type RepairRecord = typeof repair_records.$inferSelect;

/** Inserts a repair record; returns false when this execution already has one. */
export async function insertRepair(ctx: Ctx, row: typeof repair_records.$inferInsert): Promise<boolean> {
  const rows = await ctx.db
    .insert(repair_records)
    .values(row)
    .onConflictDoNothing()
    .returning({ id: repair_records.execution_id });
  return rows.length > 0;
}

/** A repair that did not hold; `counted`: whether it had counted as a success until then. */
export type Unheld = { execution_id: string; counted: boolean };

/** Marks the latest successful repair of an incident as one that did not hold; null when there is none. */
export async function unholdLatest(ctx: Ctx, incident_id: string): Promise<Unheld | null> {
  const [latest] = await ctx.db
    .select({ id: repair_records.execution_id })
    .from(repair_records)
    .where(and(eq(repair_records.incident_id, incident_id), eq(repair_records.success, true)))
    .orderBy(desc(repair_records.at))
    .limit(1);
  return latest === undefined ? null : unhold(ctx, latest.id);
}

/** Marks an execution's repair record as one that did not hold; null when it has none. */
export async function unhold(ctx: Ctx, execution_id: string): Promise<Unheld | null> {
  const own = eq(repair_records.execution_id, execution_id);
  const [before] = await ctx.db.select().from(repair_records).where(own).for("update");
  if (before === undefined) return null;
  await ctx.db.update(repair_records).set({ held: false }).where(own);
  return { execution_id, counted: before.success && before.held };
}

/** Marks the repair that an execution was a step of, by the record that the plan's last step has; null when none. */
export async function unholdRunOf(ctx: Ctx, execution_id: string): Promise<Unheld | null> {
  const { rows } = await ctx.db.execute<{ id: string }>(sql`
    select r.execution_id as id from executions one
      join executions other using (approval_id) join repair_records r on r.execution_id = other.execution_id
     where one.execution_id = ${execution_id}`);
  return rows[0] === undefined ? null : unhold(ctx, rows[0].id);
}

export async function repairsOf(ctx: Ctx, anomaly_key: string): Promise<RepairRecord[]> {
  return ctx.db
    .select()
    .from(repair_records)
    .where(eq(repair_records.anomaly_key, anomaly_key))
    .orderBy(desc(repair_records.at))
    .limit(100);
}

export function oldRepairs(before: Date) {
  const where = lt(repair_records.at, before);
  return { table: repair_records, key: repair_records.execution_id, order: repair_records.at, where };
}

/** Selects the repairs older than the latest `keep` of the same action on the same anomaly. */
function surplusRepairs(ctx: Ctx, keep: number) {
  const { execution_id: key, anomaly_key, action, at } = repair_records;
  const rank = sql<number>`row_number() over (partition by ${anomaly_key}, ${action} order by ${at} desc)`;
  const ranked = ctx.db
    .select({ key, at, rank: rank.as("rank") })
    .from(repair_records)
    .as("ranked");
  return ctx.db.select({ key: ranked.key }).from(ranked).where(sql`rank > ${keep}`).orderBy(asc(ranked.at));
}

export async function deleteSurplusRepairs(ctx: Ctx, keep: number, limit: number): Promise<number> {
  const surplus = surplusRepairs(ctx, keep).limit(limit);
  const { rowCount } = await ctx.db
    .delete(repair_records)
    .where(sql`${repair_records.execution_id} = any(array(${surplus}))`);
  return rowCount ?? 0;
}

export async function countSurplusRepairs(ctx: Ctx, keep: number): Promise<number> {
  const surplus = surplusRepairs(ctx, keep).as("surplus");
  const [row] = await ctx.db.select({ n: sql<number>`count(*)::int` }).from(surplus);
  return row?.n ?? 0;
}

/** Sets the anomaly key of each incident on its repair records. */
export async function writeLearntKeys(
  ctx: Ctx,
  incidents: readonly { incident_id: string; anomaly_key: string }[],
): Promise<void> {
  await ctx.db.execute(sql`
    update ${repair_records} l set anomaly_key = k.anomaly_key
      from json_to_recordset(${jsonRows(incidents)}::json) as k(incident_id text, anomaly_key text)
     where l.incident_id = k.incident_id and l.anomaly_key <> k.anomaly_key`);
}
