import { and, desc, gt, isNotNull, isNull, lte, sql } from "drizzle-orm";
import type { Disposition } from "../../contract/incident.ts";
import type { Ctx } from "../../db/ctx.ts";
import { jsonRows } from "../../db/json-rows.ts";
import { oneOf } from "../../db/one-of.ts";
import { resolutions } from "../../db/schema.ts";

export type ResolutionRecord = typeof resolutions.$inferSelect;
/** A resolution that has its disposition. */
export type ConcludedResolution = ResolutionRecord & { disposition: Disposition };

/** Stores that and how an incident was resolved; the learning stage adds the disposition. */
export async function insertResolution(ctx: Ctx, row: typeof resolutions.$inferInsert): Promise<void> {
  await ctx.db.insert(resolutions).values(row).onConflictDoNothing();
}

/** Stores the disposition of a resolution. Returns false when it had one before. */
export async function concludeResolution(
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

/** Returns a page of the resolutions from before `before` without a disposition, of incidents after `after`. */
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

/** Returns the latest resolution with a disposition for each incident. */
export async function latestResolutions(
  ctx: Ctx,
  incident_ids: readonly string[],
): Promise<Map<string, ConcludedResolution>> {
  if (incident_ids.length === 0) return new Map();
  const rows = await ctx.db
    .selectDistinctOn([resolutions.incident_id])
    .from(resolutions)
    .where(and(oneOf(resolutions.incident_id, incident_ids), isNotNull(resolutions.disposition)))
    .orderBy(resolutions.incident_id, desc(resolutions.resolution));
  return new Map(rows.map((row) => [row.incident_id, row as ConcludedResolution]));
}

/** Deletes the resolutions of these incidents. Returns how many. */
export async function deleteResolutionsOf(ctx: Ctx, incident_ids: readonly string[]): Promise<number> {
  const { rowCount } = await ctx.db.delete(resolutions).where(oneOf(resolutions.incident_id, incident_ids));
  return rowCount ?? 0;
}

/** Updates the anomaly keys of these incidents' resolutions. */
export async function writeResolutionKeys(
  ctx: Ctx,
  incidents: readonly { incident_id: string; anomaly_key: string }[],
): Promise<void> {
  await ctx.db.execute(sql`
    update ${resolutions} l set anomaly_key = k.anomaly_key
      from json_to_recordset(${jsonRows(incidents)}::json) as k(incident_id text, anomaly_key text)
     where l.incident_id = k.incident_id and l.anomaly_key <> k.anomaly_key`);
}
