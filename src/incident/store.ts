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
  isNotNull,
  lt,
  lte,
  or,
  sql,
} from "drizzle-orm";
import type { IncidentQuery } from "../contract/incident.ts";
import type { OperationLogQuery } from "../contract/operation-log.ts";
import type { Ctx } from "../db/ctx.ts";
import { jsonRows } from "../db/json-rows.ts";
import { LOCKS } from "../db/lock.ts";
import { oneOf } from "../db/one-of.ts";
import { olderThan, olderThanSeq } from "../db/page.ts";
import { alerts, approvals, executions, incidents, resolutions, timeline } from "../db/schema.ts";
import { incidentId } from "../lib/id.ts";
import { deleteLinksOf } from "./linking/store.ts";
import { deleteResolutionsOf } from "./resolution/store.ts";
import type { IncidentRow } from "./types.ts";

export const ACTIVE = ["investigating", "mitigating"] as const;

/**
 * Locks these fingerprints against concurrent convergence until the transaction ends. Sorted, so that there is no
 * deadlock; in 256 buckets, so that a body with 20,000 fingerprints does not exhaust the server's lock table.
 */
export async function lockFingerprints(ctx: Ctx, fingerprints: readonly string[]): Promise<void> {
  const list = sql.param([...new Set(fingerprints)]);
  await ctx.db.execute(sql`
    select pg_advisory_xact_lock(${LOCKS.fingerprint}::int, key)
      from (select distinct hashtext(f) & 255 as key from unnest(${list}::text[]) as f order by 1) as keys`);
}

/**
 * Returns the active incident of each fingerprint, locked until the transaction ends, else its latest one. A concurrent
 * resolution is either visible here or waits.
 */
export async function latestIncidents(
  ctx: Ctx,
  fingerprints: readonly string[],
): Promise<Map<string, IncidentRow>> {
  if (fingerprints.length === 0) return new Map();
  const active = await ctx.db
    .select()
    .from(incidents)
    .where(and(oneOf(incidents.fingerprint, fingerprints), inArray(incidents.status, [...ACTIVE])))
    .orderBy(asc(incidents.incident_id))
    .for("no key update");
  const found = new Map(active.map((row) => [row.fingerprint, row as IncidentRow]));
  const others = fingerprints.filter((one) => !found.has(one));
  if (others.length === 0) return found;
  const ended = await ctx.db
    .selectDistinctOn([incidents.fingerprint])
    .from(incidents)
    .where(oneOf(incidents.fingerprint, others))
    .orderBy(asc(incidents.fingerprint), desc(incidents.created_at), desc(incidents.incident_id));
  for (const row of ended) found.set(row.fingerprint, row as IncidentRow);
  return found;
}

/** Returns those of these incidents that are active, locked until the transaction ends. */
export async function activeIncidents(
  ctx: Ctx,
  incident_ids: readonly string[],
): Promise<Map<string, IncidentRow>> {
  if (incident_ids.length === 0) return new Map();
  const rows = await ctx.db
    .select()
    .from(incidents)
    .where(and(oneOf(incidents.incident_id, incident_ids), inArray(incidents.status, [...ACTIVE])))
    .orderBy(asc(incidents.incident_id))
    .for("no key update");
  return new Map(rows.map((row) => [row.incident_id, row as IncidentRow]));
}

const later = (column: typeof incidents.updated_at, at: Date) =>
  sql`greatest(${column}, ${at.toISOString()}::timestamptz)`;

/** A new incident without its id, which the store generates. */
export type NewIncident = Omit<typeof incidents.$inferInsert, "incident_id">;

// Rows per statement: PostgreSQL takes 65,535 parameters, and an incident has 25.
const INSERT = 1_000;

/** Inserts incidents, one per fingerprint. Returns them by fingerprint. */
export async function insertIncidents(
  ctx: Ctx,
  drafts: readonly NewIncident[],
): Promise<Map<string, IncidentRow>> {
  const opened = new Map<string, IncidentRow>();
  let left = [...drafts];
  while (left.length > 0) {
    const rows = left
      .slice(0, INSERT)
      .map((row) => ({ ...row, incident_id: incidentId(ctx.clock.now(), ctx.random) }));
    // A row whose id is taken (there are 2^30 a day) is skipped, and gets another id in the next round.
    const inserted = await ctx.db
      .insert(incidents)
      .values(rows)
      .onConflictDoNothing({ target: incidents.incident_id })
      .returning();
    for (const row of inserted) opened.set(row.fingerprint, row as IncidentRow);
    left = left.filter((row) => !opened.has(row.fingerprint));
  }
  return opened;
}

export async function updateIncident(
  ctx: Ctx,
  incident_id: string,
  change: Partial<typeof incidents.$inferInsert>,
): Promise<IncidentRow> {
  const [updated] = await ctx.db
    .update(incidents)
    // A clock set back does not move `updated_at` backwards.
    .set({ ...change, updated_at: later(incidents.updated_at, ctx.clock.now()) })
    .where(eq(incidents.incident_id, incident_id))
    .returning();
  return updated as IncidentRow;
}

/** Writes what converged alerts changed on these incidents; `last_seen` never goes back. */
export async function countIncidents(ctx: Ctx, counted: readonly IncidentRow[]): Promise<void> {
  if (counted.length === 0) return;
  const rows = counted.map((one) => ({
    incident_id: one.incident_id,
    hit_count: one.hit_count,
    last_seen: one.last_seen,
    updated_at: one.updated_at,
    severity: one.severity,
    affected_services: one.affected_services,
    alert_category: one.alert_category,
    notification_type: one.notification_type,
    escalation_level: one.escalation_level,
  }));
  await ctx.db.execute(sql`
    update incidents i
       set hit_count = c.hit_count, severity = c.severity, affected_services = c.affected_services,
           last_seen = greatest(i.last_seen, c.last_seen), updated_at = c.updated_at,
           alert_category = c.alert_category, notification_type = c.notification_type,
           escalation_level = greatest(i.escalation_level, c.escalation_level)
      from json_to_recordset(${jsonRows(rows)}::json)
        as c(incident_id text, hit_count int, last_seen timestamptz, updated_at timestamptz, severity text,
             affected_services text[], alert_category text, notification_type text, escalation_level int)
     where i.incident_id = c.incident_id`);
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
    .where(oneOf(incidents.incident_id, ids))) as IncidentRow[];
  return new Map(rows.map((row) => [row.incident_id, row]));
}

/** Returns the incident, locked until the transaction ends. */
export async function lockIncident(ctx: Ctx, incident_id: string): Promise<IncidentRow | undefined> {
  const [row] = await ctx.db
    .select()
    .from(incidents)
    .where(eq(incidents.incident_id, incident_id))
    .for("no key update");
  return row as IncidentRow | undefined;
}

/** Returns whether the incident exists and is not being deleted, and keeps it from deletion until the transaction ends. */
export async function keepIncident(ctx: Ctx, incident_id: string): Promise<boolean> {
  const rows = await ctx.db
    .select({ incident_id: incidents.incident_id })
    .from(incidents)
    .where(eq(incidents.incident_id, incident_id))
    // Only a deletion holds a conflicting lock, and may be waiting for this transaction: so it is not waited for.
    .for("key share", { skipLocked: true });
  return rows.length > 0;
}

/** Returns up to `limit` + 1 incidents, newest first: the extra row means that there is a next page. */
export async function incidentPage(ctx: Ctx, query: IncidentQuery): Promise<IncidentRow[]> {
  const { status, severity, category, service, merged = "false", q, since, until, limit } = query;
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
        merged === "any" ? undefined : sql`(${incidents.merged_into} is not null) = ${merged === "true"}`,
        like === undefined ? undefined : or(ilike(incidents.title, like), ilike(incidents.incident_id, like)),
        since === undefined ? undefined : gte(incidents.created_at, new Date(since)),
        until === undefined ? undefined : lte(incidents.created_at, new Date(until)),
        olderThan(query.cursor, incidents.created_at, incidents.incident_id),
      ),
    )
    .orderBy(desc(incidents.created_at), desc(incidents.incident_id))
    .limit(limit + 1);
  return rows as IncidentRow[];
}

/** Returns how often trouble of each anomaly key was resolved since each of `moments`: every time but the present one. */
export async function timesOver(
  ctx: Ctx,
  anomaly_keys: readonly string[],
  moments: readonly Date[],
): Promise<Map<string, number[]>> {
  if (anomaly_keys.length === 0) return new Map();
  const oldest = new Date(Math.min(...moments.map((at) => at.getTime())));
  const counts = moments.map(
    (at) => sql`count(*) filter (where ${resolutions.resolved_at} > ${at.toISOString()}::timestamptz)::int`,
  );
  const rows = await ctx.db
    .select({ key: resolutions.anomaly_key, counts: sql<number[]>`array[${sql.join(counts, sql`, `)}]` })
    .from(resolutions)
    .where(and(oneOf(resolutions.anomaly_key, anomaly_keys), gt(resolutions.resolved_at, oldest)))
    .groupBy(resolutions.anomaly_key);
  return new Map(rows.map((row) => [row.key, row.counts]));
}

/** Returns how often an incident was resolved since `since` because its alerts had ended. */
export async function endsSince(ctx: Ctx, incident_id: string, since: Date): Promise<number> {
  const [row] = await ctx.db
    .select({ n: count() })
    .from(resolutions)
    .where(
      and(
        eq(resolutions.incident_id, incident_id),
        eq(resolutions.through, "notice"),
        gt(resolutions.resolved_at, since),
      ),
    );
  return row?.n ?? 0;
}

/** Returns a page of the flapping incidents not changed since `before`, by id after `after`. */
export async function flappingBefore(
  ctx: Ctx,
  before: Date,
  after: string,
  limit: number,
): Promise<{ incident_id: string; fingerprint: string }[]> {
  const { incident_id, fingerprint, flapping, updated_at } = incidents;
  return ctx.db
    .select({ incident_id, fingerprint })
    .from(incidents)
    .where(and(eq(flapping, true), lte(updated_at, before), gt(incident_id, after)))
    .orderBy(asc(incident_id))
    .limit(limit);
}

/** Returns a page of the incidents resolved before `before`, by id after `after`. */
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

export async function insertTimeline(
  ctx: Ctx,
  rows: readonly (typeof timeline.$inferInsert)[],
): Promise<void> {
  await ctx.db.execute(sql`
    insert into timeline (incident_id, at, kind, actor, actor_kind, text, data, event)
    select incident_id, at, kind, actor, actor_kind, text, data, event
      from json_to_recordset(${jsonRows(rows)}::json)
        as t(incident_id text, at timestamptz, kind text, actor text, actor_kind text, text text, data jsonb,
                event text)`);
}

/** Returns up to `limit` + 1 entries of the operation log, newest first. */
export async function operationLogPage(
  ctx: Ctx,
  { incident_id, event, limit, cursor }: OperationLogQuery,
): Promise<(typeof timeline.$inferSelect)[]> {
  return ctx.db
    .select()
    .from(timeline)
    .where(
      and(
        isNotNull(timeline.event),
        incident_id === undefined ? undefined : eq(timeline.incident_id, incident_id),
        event === undefined ? undefined : eq(timeline.event, event),
        olderThanSeq(cursor, timeline.at, timeline.seq),
      ),
    )
    .orderBy(desc(timeline.at), desc(timeline.seq))
    .limit(limit + 1);
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

/** Condition for incidents that ended before `before`, with no alerts, open approvals or running executions left. */
function forgettable(before: Date) {
  const own = sql`incident_id = ${incidents.incident_id}`;
  return and(
    inArray(incidents.status, ["resolved", "closed"]),
    // The index is on `resolved_at`; the other two move on with whatever is still received about it.
    lt(incidents.resolved_at, before),
    lt(incidents.updated_at, before),
    lt(incidents.last_seen, before),
    sql`not exists (select from ${alerts} a where a.${own})`,
    sql`not exists (select from ${approvals} p where p.${own} and p.status in ('preparing', 'pending'))`,
    sql`not exists (select from ${executions} e where e.${own}
      and e.status in ('pending', 'running', 'verifying'))`,
  );
}

/**
 * Returns incidents that may be deleted, oldest first, locked until the transaction ends, also against convergence, whose
 * locks are taken in the same order. Rows locked by another transaction are skipped.
 */
export async function lockForgettable(ctx: Ctx, before: Date, limit: number): Promise<string[]> {
  const found = await ctx.db
    .select({ id: incidents.incident_id, fingerprint: incidents.fingerprint })
    .from(incidents)
    .where(forgettable(before))
    .orderBy(asc(incidents.resolved_at))
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
    .where(and(oneOf(incidents.incident_id, ids), forgettable(before)))
    .for("update", { skipLocked: true });
  return locked.map((row) => row.id);
}

export async function countForgettable(ctx: Ctx, before: Date): Promise<number> {
  const [row] = await ctx.db.select({ n: count() }).from(incidents).where(forgettable(before));
  return row?.n ?? 0;
}

/** Deletes these incidents with their timelines, relations and resolutions; delete everything else that refers to them first. */
export async function deleteIncidents(
  ctx: Ctx,
  incident_ids: readonly string[],
): Promise<{ incidents: number; timeline: number; incident_links: number; resolutions: number }> {
  const links = await deleteLinksOf(ctx, incident_ids);
  const ends = await deleteResolutionsOf(ctx, incident_ids);
  const lines = await ctx.db.delete(timeline).where(oneOf(timeline.incident_id, incident_ids));
  const gone = await ctx.db.delete(incidents).where(oneOf(incidents.incident_id, incident_ids));
  return {
    incidents: gone.rowCount ?? 0,
    timeline: lines.rowCount ?? 0,
    incident_links: links,
    resolutions: ends,
  };
}
