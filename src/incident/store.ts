import { and, arrayContains, asc, desc, eq, gt, gte, ilike, inArray, lt, lte, or, sql } from "drizzle-orm";
import type { IncidentQuery } from "../contract/incident.ts";
import type { Ctx } from "../db/ctx.ts";
import { LOCKS } from "../db/lock.ts";
import { type Cursor, decodeCursor } from "../db/page.ts";
import { incidents, resolutions, timeline } from "../db/schema.ts";
import type { IncidentRow } from "./types.ts";

export const ACTIVE = ["investigating", "mitigating"] as const;

/** Lets no one else converge on these fingerprints until the transaction ends. Sorted: no deadlock. */
export async function lockFingerprints(ctx: Ctx, fingerprints: readonly string[]): Promise<void> {
  const list = sql.param([...fingerprints]);
  await ctx.db.execute(sql`
    select pg_advisory_xact_lock(${LOCKS.fingerprint}::int, key)
      from (select distinct hashtext(f) as key from unnest(${list}::text[]) as f order by 1) as keys`);
}

/**
 * For each fingerprint its active incident, locked until the transaction ends, else its latest one: who
 * resolves it at this moment is either seen here or waits.
 */
export async function latestIncidents(
  ctx: Ctx,
  fingerprints: readonly string[],
): Promise<Map<string, IncidentRow>> {
  if (fingerprints.length === 0) return new Map();
  await ctx.db
    .select({ id: incidents.incident_id })
    .from(incidents)
    .where(and(inArray(incidents.fingerprint, [...fingerprints]), inArray(incidents.status, [...ACTIVE])))
    .orderBy(asc(incidents.incident_id))
    .for("no key update");
  const rows = (await ctx.db
    .selectDistinctOn([incidents.fingerprint])
    .from(incidents)
    .where(inArray(incidents.fingerprint, [...fingerprints]))
    .orderBy(
      asc(incidents.fingerprint),
      desc(sql`${incidents.status} in ('investigating', 'mitigating')`),
      desc(incidents.updated_at),
      desc(incidents.incident_id),
    )) as IncidentRow[];
  return new Map(rows.map((row) => [row.fingerprint, row]));
}

const later = (column: typeof incidents.updated_at, at: Date) =>
  sql`greatest(${column}, ${at.toISOString()}::timestamptz)`;

export async function insertIncident(ctx: Ctx, row: typeof incidents.$inferInsert): Promise<IncidentRow> {
  const [inserted] = await ctx.db.insert(incidents).values(row).returning();
  return inserted as IncidentRow;
}

export async function updateIncident(
  ctx: Ctx,
  incident_id: string,
  change: Partial<typeof incidents.$inferInsert>,
): Promise<IncidentRow> {
  const [updated] = await ctx.db
    .update(incidents)
    // A clock that was set back makes nothing younger.
    .set({ ...change, updated_at: later(incidents.updated_at, ctx.clock.now()) })
    .where(eq(incidents.incident_id, incident_id))
    .returning();
  return updated as IncidentRow;
}

/** Moves `last_seen` of these incidents; `last_seen` never goes back. */
export async function touchIncidents(ctx: Ctx, incident_ids: readonly string[], at: Date): Promise<void> {
  if (incident_ids.length === 0) return;
  await ctx.db
    .update(incidents)
    .set({ last_seen: later(incidents.last_seen, at) })
    .where(inArray(incidents.incident_id, [...incident_ids]));
}

export async function findIncident(ctx: Ctx, incident_id: string): Promise<IncidentRow | undefined> {
  const [row] = await ctx.db.select().from(incidents).where(eq(incidents.incident_id, incident_id));
  return row as IncidentRow | undefined;
}

export async function incidentsById(ctx: Ctx, ids: readonly string[]): Promise<Map<string, IncidentRow>> {
  if (ids.length === 0) return new Map();
  const rows = (await ctx.db
    .select()
    .from(incidents)
    .where(inArray(incidents.incident_id, [...ids]))) as IncidentRow[];
  return new Map(rows.map((row) => [row.incident_id, row]));
}

/** The incident, locked until the transaction ends. */
export async function lockIncident(ctx: Ctx, incident_id: string): Promise<IncidentRow | undefined> {
  const [row] = await ctx.db
    .select()
    .from(incidents)
    .where(eq(incidents.incident_id, incident_id))
    .for("no key update");
  return row as IncidentRow | undefined;
}

const after = (cursor: Cursor) =>
  or(
    lt(incidents.created_at, cursor.at),
    and(eq(incidents.created_at, cursor.at), lt(incidents.incident_id, cursor.id)),
  );

/** One row more than `limit`, newest first: the extra one says that there is a next page. */
export async function incidentPage(ctx: Ctx, query: IncidentQuery): Promise<IncidentRow[]> {
  const { status, severity, category, service, q, since, until, limit } = query;
  const cursor = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
  const like = q === undefined ? undefined : `%${q.replace(/[\\%_]/g, "\\$&")}%`;
  const rows = await ctx.db
    .select()
    .from(incidents)
    .where(
      and(
        status && eq(incidents.status, status),
        severity && eq(incidents.severity, severity),
        category === undefined ? undefined : eq(incidents.alert_category, category),
        service === undefined ? undefined : arrayContains(incidents.affected_services, [service]),
        like === undefined ? undefined : or(ilike(incidents.title, like), ilike(incidents.incident_id, like)),
        since === undefined ? undefined : gte(incidents.created_at, new Date(since)),
        until === undefined ? undefined : lte(incidents.created_at, new Date(until)),
        cursor && after(cursor),
      ),
    )
    .orderBy(desc(incidents.created_at), desc(incidents.incident_id))
    .limit(limit + 1);
  return rows as IncidentRow[];
}

/** How often trouble of each fingerprint was over since each of `moments`: every time but the present one. */
export async function timesOver(
  ctx: Ctx,
  fingerprints: readonly string[],
  moments: readonly Date[],
): Promise<Map<string, number[]>> {
  if (fingerprints.length === 0) return new Map();
  const oldest = new Date(Math.min(...moments.map((at) => at.getTime())));
  const counts = moments.map(
    (at) => sql`count(*) filter (where ${resolutions.resolved_at} > ${at.toISOString()}::timestamptz)::int`,
  );
  const rows = await ctx.db
    .select({ key: resolutions.anomaly_key, counts: sql<number[]>`array[${sql.join(counts, sql`, `)}]` })
    .from(resolutions)
    .where(and(inArray(resolutions.anomaly_key, [...fingerprints]), gt(resolutions.resolved_at, oldest)))
    .groupBy(resolutions.anomaly_key);
  return new Map(rows.map((row) => [row.key, row.counts]));
}

/** A page of the incidents that were resolved before `before`, from after `after` on. */
export async function resolvedBefore(
  ctx: Ctx,
  before: Date,
  after: string,
  limit: number,
): Promise<IncidentRow[]> {
  const rows = await ctx.db
    .select()
    .from(incidents)
    .where(
      and(
        eq(incidents.status, "resolved"),
        lte(incidents.resolved_at, before),
        gt(incidents.incident_id, after),
      ),
    )
    .orderBy(asc(incidents.incident_id))
    .limit(limit);
  return rows as IncidentRow[];
}

/** Keeps that an incident was resolved and how; its disposition is the learning room's to say. */
export async function insertResolution(ctx: Ctx, row: typeof resolutions.$inferInsert): Promise<void> {
  await ctx.db.insert(resolutions).values(row).onConflictDoNothing();
}

export async function insertTimeline(ctx: Ctx, row: typeof timeline.$inferInsert): Promise<void> {
  await ctx.db.insert(timeline).values(row);
}

export async function timelineRows(
  ctx: Ctx,
  incident_id: string,
  afterSeq: number,
  limit: number,
): Promise<(typeof timeline.$inferSelect)[]> {
  return ctx.db
    .select()
    .from(timeline)
    .where(and(eq(timeline.incident_id, incident_id), sql`${timeline.seq} > ${afterSeq}`))
    .orderBy(asc(timeline.seq))
    .limit(limit);
}
