import { and, asc, desc, eq, isNull, or, sql } from "drizzle-orm";
import type { Ctx } from "../../db/ctx.ts";
import { jsonRows } from "../../db/json-rows.ts";
import { oneOf } from "../../db/one-of.ts";
import { olderThan } from "../../db/page.ts";
import { correlation_lessons, incident_links, incidents } from "../../db/schema.ts";
import type { IncidentRow } from "../types.ts";
import type { Effect, LessonRow, Link, Merge } from "./types.ts";

/** An active incident with the alert that opened it, which describes the trouble. */
export type Candidate = Pick<
  IncidentRow,
  "incident_id" | "fingerprint" | "notification_type" | "merged_into" | "affected_services" | "created_at"
> & {
  alert_name: string;
  cluster: string;
  namespace: string;
  target_resource: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  starts_at: Date;
};

/** Returns the newest `limit` active incidents created since `since` and not in `but`, newest first. */
export async function activeSince(
  ctx: Ctx,
  since: Date,
  but: readonly string[],
  limit: number,
): Promise<Candidate[]> {
  const { rows } = await ctx.db.execute<
    Omit<Candidate, "starts_at" | "created_at"> & { starts_at: string; created_at: string }
  >(sql`
    select i.incident_id, i.fingerprint, i.notification_type, i.merged_into, i.affected_services, i.created_at,
           a.alert_name, a.cluster, a.namespace, a.target_resource, a.labels, a.annotations, a.starts_at
      from (select * from incidents
             where created_at >= ${since.toISOString()}::timestamptz and status in ('investigating', 'mitigating')
               and not incident_id = any(${sql.param([...but])}::text[])
             order by created_at desc, incident_id desc limit ${limit}) i
      -- From there on in the order of one index: else the first is looked for by time, among the alerts of all
      -- incidents, or among all that this one has.
      join lateral (select alert_id, incident_id from alerts
                     where (alerts.incident_id, first_received_at, alert_id) >= (i.incident_id, '-infinity', '')
                     order by alerts.incident_id, first_received_at, alert_id limit 1) f on f.incident_id = i.incident_id
      join alerts a on a.alert_id = f.alert_id
     order by i.created_at desc, i.incident_id desc`);
  return rows.map((row) => ({
    ...row,
    starts_at: new Date(row.starts_at),
    created_at: new Date(row.created_at),
  }));
}

/** Returns these incidents, locked until the transaction ends. Everything locks them in the order of their ids. */
export async function lockIncidents(ctx: Ctx, ids: readonly string[]): Promise<Map<string, IncidentRow>> {
  if (ids.length === 0) return new Map();
  const rows = await ctx.db
    .select()
    .from(incidents)
    .where(oneOf(incidents.incident_id, ids))
    .orderBy(asc(incidents.incident_id))
    .for("no key update");
  return new Map(rows.map((row) => [row.incident_id, row as IncidentRow]));
}

/** Returns all effects of these incidents, in any status. */
export async function effectsOf(ctx: Ctx, mains: readonly string[]): Promise<IncidentRow[]> {
  if (mains.length === 0) return [];
  const rows = await ctx.db.select().from(incidents).where(oneOf(incidents.merged_into, mains));
  return rows as IncidentRow[];
}

/** Sets the main incident of each, if its current one is still `from` (null: none). */
export async function setMergedInto(
  ctx: Ctx,
  merges: readonly (Pick<Merge, "effect_id" | "main_id"> & { from: string | null })[],
): Promise<void> {
  const rows = merges.map(({ effect_id, main_id, from }) => ({ effect_id, main_id, from_id: from }));
  const now = ctx.clock.now().toISOString();
  await ctx.db.execute(sql`
    update incidents i set merged_into = m.main_id, updated_at = greatest(i.updated_at, ${now}::timestamptz)
      from json_to_recordset(${jsonRows(rows)}::json) as m(effect_id text, main_id text, from_id text)
     where i.incident_id = m.effect_id and i.merged_into is not distinct from m.from_id`);
}

const pairOf = (one: string, other: string) =>
  one < other ? { incident_id: one, other_id: other } : { incident_id: other, other_id: one };

/** Stores how these pairs of incidents are related, replacing earlier relations. */
export async function keepLinks(
  ctx: Ctx,
  links: readonly (Link & { strength: "link" | "merge" })[],
  by: { made_by: string; made_by_kind: string },
): Promise<void> {
  if (links.length === 0) return;
  const made_at = ctx.clock.now();
  const rows = new Map(
    links.map(({ incident_id, other_id, ...link }) => {
      const pair = pairOf(incident_id, other_id);
      return [`${pair.incident_id} ${pair.other_id}`, { ...pair, ...link, ...by, made_at }];
    }),
  );
  await ctx.db.execute(sql`
    insert into incident_links (incident_id, other_id, strength, reasons, cause_id, cause_reason, made_by,
                                made_by_kind, made_at)
    select incident_id, other_id, strength, reasons, cause_id, cause_reason, made_by, made_by_kind, made_at
      from json_to_recordset(${jsonRows([...rows.values()])}::json)
        as l(incident_id text, other_id text, strength text, reasons text[], cause_id text,
             cause_reason text, made_by text, made_by_kind text, made_at timestamptz)
        on conflict (incident_id, other_id) do update
       set strength = excluded.strength, reasons = excluded.reasons, cause_id = excluded.cause_id,
           cause_reason = excluded.cause_reason, made_by = excluded.made_by,
           made_by_kind = excluded.made_by_kind, made_at = excluded.made_at, ended_at = null, ended_by = null,
           ended_by_kind = null`);
}

const isPair = (one: string, other: string) => {
  const pair = pairOf(one, other);
  return and(eq(incident_links.incident_id, pair.incident_id), eq(incident_links.other_id, pair.other_id));
};

export async function endLink(
  ctx: Ctx,
  one: string,
  other: string,
  by: { ended_by: string; ended_by_kind: string },
): Promise<void> {
  await ctx.db
    .update(incident_links)
    .set({ ended_at: ctx.clock.now(), ...by })
    .where(and(isPair(one, other), isNull(incident_links.ended_at)));
}

/** Turns the merge of two incidents into a link. */
export async function weakenLink(ctx: Ctx, one: string, other: string): Promise<void> {
  await ctx.db.update(incident_links).set({ strength: "link" }).where(isPair(one, other));
}

/** Returns the first `limit` effects of each of these incidents, with the reasons for the merge. */
export async function shownEffects(ctx: Ctx, mains: readonly string[], limit: number): Promise<Effect[]> {
  if (mains.length === 0) return [];
  const { rows } = await ctx.db.execute<Effect>(sql`
    select e.merged_into as main_id, e.incident_id, e.title, e.severity, e.status, e.hit_count,
           coalesce(l.reasons, '{}') as reasons, e.count
      from (select *, count(*) over (partition by merged_into)::int as count,
                   row_number() over (partition by merged_into order by created_at, incident_id) as place
              from incidents where merged_into = any(${sql.param([...mains])})) e
      left join incident_links l on l.incident_id = least(e.incident_id, e.merged_into)
                                and l.other_id = greatest(e.incident_id, e.merged_into)
     where place <= ${limit} order by e.merged_into, place`);
  return rows;
}

/** A relation from the point of view of one of its two incidents. */
export type LinkedIncident = {
  incident_id: string;
  other_id: string;
  title: string;
  status: IncidentRow["status"];
  strength: "link" | "merge";
  reasons: string[];
  cause_id: string | null;
  cause_reason: string | null;
};

/** Returns the newest `limit` current relations of each strength for each of these incidents. */
export async function shownLinks(ctx: Ctx, ids: readonly string[], limit: number): Promise<LinkedIncident[]> {
  if (ids.length === 0) return [];
  const list = sql.param([...ids]);
  const { rows } = await ctx.db.execute<LinkedIncident>(sql`
    select l.own as incident_id, l.other as other_id, i.title, i.status, l.strength, l.reasons, l.cause_id, l.cause_reason
      from (select *, row_number() over (partition by own, strength order by made_at desc, other) as place
              from (select incident_id as own, other_id as other, * from incident_links
                     where incident_id = any(${list}) and ended_at is null
                    union all
                    select other_id, incident_id, * from incident_links
                     where other_id = any(${list}) and ended_at is null) both_ways) l
      join incidents i on i.incident_id = l.other
     where place <= ${limit} order by l.own, place`);
  return rows;
}

export async function deleteLinksOf(ctx: Ctx, ids: readonly string[]): Promise<number> {
  await ctx.db.update(incidents).set({ merged_into: null }).where(oneOf(incidents.merged_into, ids));
  const { rowCount } = await ctx.db
    .delete(incident_links)
    .where(or(oneOf(incident_links.incident_id, ids), oneOf(incident_links.other_id, ids)));
  return rowCount ?? 0;
}

/** Returns the lessons about any two of these fingerprints. */
export async function lessonsAmong(ctx: Ctx, fingerprints: readonly string[]): Promise<LessonRow[]> {
  if (fingerprints.length === 0) return [];
  const { fingerprint, other_fingerprint } = correlation_lessons;
  return ctx.db
    .select()
    .from(correlation_lessons)
    .where(and(oneOf(fingerprint, fingerprints), oneOf(other_fingerprint, fingerprints)));
}

/** Stores a lesson, replacing an earlier one about the same two fingerprints. */
export async function keepLesson(ctx: Ctx, row: LessonRow): Promise<void> {
  const { lesson_id: _, fingerprint: __, other_fingerprint: ___, ...set } = row;
  const target = [correlation_lessons.fingerprint, correlation_lessons.other_fingerprint];
  await ctx.db.insert(correlation_lessons).values(row).onConflictDoUpdate({ target, set });
}

export async function lessonPage(ctx: Ctx, limit: number, cursor?: string): Promise<LessonRow[]> {
  const { taught_at, lesson_id } = correlation_lessons;
  return ctx.db
    .select()
    .from(correlation_lessons)
    .where(olderThan(cursor, taught_at, lesson_id))
    .orderBy(desc(taught_at), desc(lesson_id))
    .limit(limit + 1);
}

export async function deleteLesson(ctx: Ctx, lesson_id: string): Promise<LessonRow | undefined> {
  const [row] = await ctx.db
    .delete(correlation_lessons)
    .where(eq(correlation_lessons.lesson_id, lesson_id))
    .returning();
  return row;
}

/**
 * Rewrites the fingerprints of lessons. A lesson whose two fingerprints are now equal, or whose new pair has a lesson
 * already, is kept unchanged and no longer applies.
 */
export async function renameLessons(ctx: Ctx, fingerprints: ReadonlyMap<string, string>): Promise<void> {
  const rows = [...fingerprints].map(([before, now]) => ({ before, now }));
  await ctx.db.execute(sql`
    with named as (
      select l.lesson_id, coalesce(one.now, l.fingerprint) as a, coalesce(other.now, l.other_fingerprint) as b
        from correlation_lessons l
        left join json_to_recordset(${jsonRows(rows)}::json) as one(before text, now text) on one.before = l.fingerprint
        left join json_to_recordset(${jsonRows(rows)}::json) as other(before text, now text) on other.before = l.other_fingerprint
       where one.now is not null or other.now is not null),
    fit as (
      select distinct on (least(a, b), greatest(a, b)) * from named n
       where a <> b and not exists (
         select from correlation_lessons taken
          where taken.fingerprint = least(n.a, n.b) and taken.other_fingerprint = greatest(n.a, n.b))
       order by least(a, b), greatest(a, b), lesson_id)
    update correlation_lessons l
       set fingerprint = least(fit.a, fit.b), other_fingerprint = greatest(fit.a, fit.b),
           title = case when fit.a < fit.b then l.title else l.other_title end,
           other_title = case when fit.a < fit.b then l.other_title else l.title end
      from fit where l.lesson_id = fit.lesson_id`);
}
