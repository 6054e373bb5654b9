import { and, desc, eq, gt, inArray, isNotNull, isNull, lte } from "drizzle-orm";
import type { Disposition } from "../contract/incident.ts";
import type { Ctx } from "../db/ctx.ts";
import { repair_records, resolutions } from "../db/schema.ts";

export type RepairRecord = typeof repair_records.$inferSelect;
export type ResolutionRecord = typeof resolutions.$inferSelect;
/** One whose disposition is known. */
export type ConcludedResolution = ResolutionRecord & { disposition: Disposition };

/** Keeps a repair; false when this execution's was kept before. */
export async function insertRepair(ctx: Ctx, row: typeof repair_records.$inferInsert): Promise<boolean> {
  const rows = await ctx.db
    .insert(repair_records)
    .values(row)
    .onConflictDoNothing()
    .returning({ id: repair_records.execution_id });
  return rows.length > 0;
}

/** Marks the latest successful repair of an incident as one that did not hold. */
export async function unholdLatest(ctx: Ctx, incident_id: string): Promise<string | null> {
  const [latest] = await ctx.db
    .select({ id: repair_records.execution_id })
    .from(repair_records)
    .where(and(eq(repair_records.incident_id, incident_id), eq(repair_records.success, true)))
    .orderBy(desc(repair_records.at))
    .limit(1);
  if (latest === undefined) return null;
  await ctx.db.update(repair_records).set({ held: false }).where(eq(repair_records.execution_id, latest.id));
  return latest.id;
}

/** Keeps how a resolution came about; false when it was concluded before. */
export async function concludeResolutionRow(
  ctx: Ctx,
  row: typeof resolutions.$inferInsert & { disposition: Disposition },
): Promise<boolean> {
  const { disposition } = row;
  const rows = await ctx.db
    .insert(resolutions)
    .values(row)
    .onConflictDoUpdate({
      target: [resolutions.incident_id, resolutions.resolution],
      set: { disposition },
      setWhere: isNull(resolutions.disposition),
    })
    .returning({ n: resolutions.resolution });
  return rows.length > 0;
}

/** A page of the resolutions before `before` that are not concluded, of the incidents after `after`. */
export async function openResolutions(
  ctx: Ctx,
  before: Date,
  after: string,
  limit: number,
): Promise<ResolutionRecord[]> {
  const { incident_id, resolution } = resolutions;
  return ctx.db
    .select()
    .from(resolutions)
    .where(and(isNull(resolutions.disposition), lte(resolutions.resolved_at, before), gt(incident_id, after)))
    .orderBy(incident_id, resolution)
    .limit(limit);
}

/** The latest concluded resolution of each incident. */
export async function latestResolutions(
  ctx: Ctx,
  incident_ids: readonly string[],
): Promise<Map<string, ConcludedResolution>> {
  if (incident_ids.length === 0) return new Map();
  const rows = await ctx.db
    .selectDistinctOn([resolutions.incident_id])
    .from(resolutions)
    .where(and(inArray(resolutions.incident_id, [...incident_ids]), isNotNull(resolutions.disposition)))
    .orderBy(resolutions.incident_id, desc(resolutions.resolution));
  return new Map(rows.map((row) => [row.incident_id, row as ConcludedResolution]));
}

export async function repairsOf(ctx: Ctx, anomaly_key: string): Promise<RepairRecord[]> {
  return ctx.db
    .select()
    .from(repair_records)
    .where(eq(repair_records.anomaly_key, anomaly_key))
    .orderBy(desc(repair_records.at))
    .limit(100);
}
