import {
  and,
  arrayContains,
  asc,
  count,
  desc,
  eq,
  gt,
  gte,
  ilike,
  inArray,
  lt,
  lte,
  or,
  sql,
} from "drizzle-orm";
import type { IncidentQuery } from "../contract/incident.ts";
import type { Ctx } from "../db/ctx.ts";
import { LOCKS } from "../db/lock.ts";
import { type Cursor, decodeCursor } from "../db/page.ts";
import { alerts, approvals, executions, incidents, timeline } from "../db/schema.ts";
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
    .set({ ...change, updated_at: ctx.clock.now() })
    .where(eq(incidents.incident_id, incident_id))
    .returning();
  return updated as IncidentRow;
}

/** Moves `last_seen` of these incidents; `last_seen` never goes back. */
export async function touchIncidents(ctx: Ctx, incident_ids: readonly string[], at: Date): Promise<void> {
  if (incident_ids.length === 0) return;
  await ctx.db
    .update(incidents)
    .set({ last_seen: sql`greatest(${incidents.last_seen}, ${at.toISOString()}::timestamptz)` })
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

/** A page of the active incidents, by id, from after `after` on. */
export async function activeIncidents(ctx: Ctx, after: string, limit: number): Promise<IncidentRow[]> {
  const rows = await ctx.db
    .select()
    .from(incidents)
    .where(and(inArray(incidents.status, [...ACTIVE]), gt(incidents.incident_id, after)))
    .orderBy(asc(incidents.incident_id))
    .limit(limit);
  return rows as IncidentRow[];
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

/** Incidents that ended before `before`, with nothing left that is open, under way or still heard of. */
function forgettable(before: Date) {
  const own = sql`incident_id = ${incidents.incident_id}`;
  return and(
    inArray(incidents.status, ["resolved", "closed"]),
    lt(incidents.updated_at, before),
    lt(incidents.last_seen, before),
    sql`not exists (select from ${alerts} a where a.${own})`,
    sql`not exists (select from ${approvals} p where p.${own} and p.status in ('preparing', 'pending'))`,
    sql`not exists (select from ${executions} e where e.${own}
      and e.status in ('pending', 'running', 'verifying'))`,
  );
}

/**
 * Incidents that may be deleted, oldest first, locked until the transaction ends, against convergence too:
 * its locks are taken in the same order. Those that somebody else has locked are passed over.
 */
export async function lockForgettable(ctx: Ctx, before: Date, limit: number): Promise<string[]> {
  const found = await ctx.db
    .select({ id: incidents.incident_id, fingerprint: incidents.fingerprint })
    .from(incidents)
    .where(forgettable(before))
    .orderBy(asc(incidents.updated_at))
    .limit(limit);
  if (found.length === 0) return [];
  await lockFingerprints(
    ctx,
    found.map((row) => row.fingerprint),
  );
  const ids = found.map((row) => row.id);
  const locked = await ctx.db
    .select({ id: incidents.incident_id })
    .from(incidents)
    .where(and(inArray(incidents.incident_id, ids), forgettable(before)))
    .for("update", { skipLocked: true });
  return locked.map((row) => row.id);
}

export async function countForgettable(ctx: Ctx, before: Date): Promise<number> {
  const [row] = await ctx.db.select({ n: count() }).from(incidents).where(forgettable(before));
  return row?.n ?? 0;
}

/** Deletes these incidents with their timelines; what else names them is deleted before. */
export async function deleteIncidents(
  ctx: Ctx,
  incident_ids: readonly string[],
): Promise<{ incidents: number; timeline: number }> {
  const lines = await ctx.db.delete(timeline).where(inArray(timeline.incident_id, [...incident_ids]));
  const gone = await ctx.db.delete(incidents).where(inArray(incidents.incident_id, [...incident_ids]));
  return { incidents: gone.rowCount ?? 0, timeline: lines.rowCount ?? 0 };
}
