import { and, asc, desc, eq, gt, isNotNull, isNull, lt, lte, ne, or, type SQL, sql } from "drizzle-orm";
import type { AlertQuery, SilencedBy, SilenceQuery } from "../contract/silence.ts";
import type { Ctx } from "../db/ctx.ts";
import { jsonRows } from "../db/json-rows.ts";
import { oneOf } from "../db/one-of.ts";
import { olderThan } from "../db/page.ts";
import { alerts, inhibitors, silence_changes, silences } from "../db/schema.ts";
import type { SilenceRow } from "./types.ts";

/** Raises the version of the silences, visible once the open transaction commits. Concurrent changes wait for each other here. */
export async function countChange(ctx: Ctx): Promise<void> {
  await ctx.db
    .insert(silence_changes)
    .values({ version: 1 })
    .onConflictDoUpdate({
      target: silence_changes.only,
      set: { version: sql`${silence_changes.version} + 1` },
    });
}

export async function insertSilence(ctx: Ctx, row: SilenceRow): Promise<void> {
  await ctx.db.insert(silences).values(row);
}

export async function changeSilence(
  ctx: Ctx,
  silence_id: string,
  change: Partial<SilenceRow>,
): Promise<SilenceRow> {
  const [row] = await ctx.db
    .update(silences)
    .set({ ...change, updated_at: ctx.clock.now() })
    .where(eq(silences.silence_id, silence_id))
    .returning();
  if (row === undefined) throw new Error(`${silence_id} is gone although it is locked`);
  return row;
}

export async function findSilence(ctx: Ctx, silence_id: string): Promise<SilenceRow | undefined> {
  return (await ctx.db.select().from(silences).where(eq(silences.silence_id, silence_id)))[0];
}

export async function lockSilence(ctx: Ctx, silence_id: string): Promise<SilenceRow | undefined> {
  const rows = await ctx.db.select().from(silences).where(eq(silences.silence_id, silence_id)).for("update");
  return rows[0];
}

const ofStatus = (status: SilenceQuery["status"], now: Date): SQL | undefined =>
  status &&
  {
    expired: lte(silences.ends_at, now),
    pending: and(gt(silences.ends_at, now), gt(silences.starts_at, now)),
    active: and(gt(silences.ends_at, now), lte(silences.starts_at, now)),
  }[status];

export async function silencePage(ctx: Ctx, { status, limit, cursor }: SilenceQuery): Promise<SilenceRow[]> {
  return ctx.db
    .select()
    .from(silences)
    .where(
      and(ofStatus(status, ctx.clock.now()), olderThan(cursor, silences.created_at, silences.silence_id)),
    )
    .orderBy(desc(silences.created_at), desc(silences.silence_id))
    .limit(limit + 1);
}

/** Returns the newest 10,000 silences, including expired ones: Alertmanager's API has no pages. */
export async function newestSilences(ctx: Ctx): Promise<SilenceRow[]> {
  return ctx.db.select().from(silences).orderBy(desc(silences.created_at)).limit(10_000);
}

/** Returns a person's silences that are not over, ordered by their end. */
export async function unendedSilencesOf(ctx: Ctx, person: string): Promise<SilenceRow[]> {
  const byPerson = or(eq(silences.created_by_kind, "person"), isNull(silences.created_by_kind));
  return ctx.db
    .select()
    .from(silences)
    .where(and(eq(silences.created_by, person), byPerson, gt(silences.ends_at, ctx.clock.now())))
    .orderBy(asc(silences.ends_at), asc(silences.silence_id));
}

/** Returns the version of the silences, which grows with every change: silences read at the same version are up to date. */
export async function silencesVersion(ctx: Ctx): Promise<number> {
  const [row] = await ctx.db.select({ version: silence_changes.version }).from(silence_changes);
  return row?.version ?? 0;
}

/** Returns the silences that are not over. */
export async function unendedSilences(ctx: Ctx): Promise<SilenceRow[]> {
  return ctx.db
    .select()
    .from(silences)
    .where(gt(silences.ends_at, ctx.clock.now()))
    .orderBy(asc(silences.silence_id));
}

export function oldSilences(before: Date) {
  return {
    table: silences,
    key: silences.silence_id,
    order: silences.ends_at,
    where: lt(silences.ends_at, before),
  };
}

/** Returns for each key one firing alert that inhibits by it, among those received since `receivedSince`. */
export async function firingInhibitors(
  ctx: Ctx,
  keys: readonly string[],
  receivedSince: Date,
): Promise<Map<string, string>> {
  const { rows } = await ctx.db.execute<{ key: string; alert_id: string }>(sql`
    select k as key, f.alert_id from unnest(${sql.param([...keys])}::text[]) as k
     cross join lateral (
       select i.alert_id from inhibitors i
        -- By the alert's id, whatever the planner believes of how many there are.
        where i.key = k and (
          select a.status = 'firing' and a.last_received_at > ${receivedSince.toISOString()}::timestamptz
            from alerts a where a.alert_id = i.alert_id)
        limit 1) f`);
  return new Map(rows.map((row) => [row.key, row.alert_id]));
}

export async function insertInhibitors(
  ctx: Ctx,
  rows: readonly { key: string; alert_id: string }[],
): Promise<void> {
  await ctx.db.execute(sql`
    insert into inhibitors (key, alert_id)
    select key, alert_id from json_to_recordset(${jsonRows(rows)}::json) as i(key text, alert_id text)
    on conflict do nothing`);
}

/** Deletes the inhibition keys of alerts that no longer fire. */
export async function forgetInhibitors(ctx: Ctx): Promise<void> {
  await ctx.db
    .delete(inhibitors)
    .where(
      sql`not exists (select from ${alerts} a where a.alert_id = ${inhibitors.alert_id} and a.status = 'firing')`,
    );
}

/**
 * Selects firing alerts. `lapsed`: those whose silence may be over, as none of these silences and windows in force keeps them
 * silent; `silenced`: all that are silenced; `of incidents`: all that belong to an incident.
 */
export type Firing = { lapsed: readonly string[] } | "silenced" | "of incidents";
export type FiringKey = { alert_id: string; fingerprint: string; incident_id: string | null };

/** Reads a page of firing alerts received since `receivedSince`, in order, after `after`. */
export async function firingPage(
  ctx: Ctx,
  which: Firing,
  { receivedSince, after, limit }: { receivedSince: Date; after: FiringKey | undefined; limit: number },
): Promise<FiringKey[]> {
  const { alert_id, fingerprint, incident_id } = alerts;
  // Each case reads one partial index in its order, which holds firing alerts only, however large the table is.
  const open = which === "of incidents";
  const seen = open
    ? sql`(${incident_id}, ${alert_id}) > (${after?.incident_id ?? ""}, ${after?.alert_id ?? ""})`
    : and(isNotNull(alerts.silenced_by), gt(alert_id, after?.alert_id ?? ""));
  const lapsed =
    typeof which === "string"
      ? undefined
      : sql`not exists (
          select from jsonb_array_elements(${alerts.silenced_by}) as r
           where (r->>'by') || ':' || (r->>'id') = any(${sql.param([...which.lapsed])}::text[]))`;
  return ctx.db
    .select({ alert_id, fingerprint, incident_id })
    .from(alerts)
    .where(and(eq(alerts.status, "firing"), gt(alerts.last_received_at, receivedSince), seen, lapsed))
    .orderBy(...(open ? [asc(incident_id), asc(alert_id)] : [asc(alert_id)]))
    .limit(limit);
}

export async function firingAlerts(
  ctx: Ctx,
  ids: readonly string[],
): Promise<(typeof alerts.$inferSelect)[]> {
  return ctx.db
    .select()
    .from(alerts)
    .where(and(oneOf(alerts.alert_id, ids), eq(alerts.status, "firing")));
}

/**
 * Returns those of these incidents that are silenced, and by what: every firing alert is silenced or, where none fires any more,
 * the one received last was.
 */
export async function silencedIncidents(
  ctx: Ctx,
  ids: readonly string[],
): Promise<Map<string, SilencedBy[]>> {
  if (ids.length === 0) return new Map();
  const { rows } = await ctx.db.execute<{ id: string; reasons: SilencedBy[] }>(sql`
    select id, (
      select jsonb_agg(distinct reason) from (
        select silenced_by from alerts where incident_id = id and silenced_by is not null
         order by status = 'firing' desc, last_received_at desc limit 100) s,
        jsonb_array_elements(s.silenced_by) as reason) as reasons
      from unnest(${sql.param([...ids])}::text[]) as id
     where exists (select from alerts where incident_id = id and silenced_by is not null)
       and not exists (select from alerts where incident_id = id and status = 'firing' and silenced_by is null)
       and (exists (select from alerts where incident_id = id and status = 'firing')
            or (select silenced_by is not null from alerts where incident_id = id
                 order by last_received_at desc, silenced_by is null limit 1))`);
  return new Map(rows.map((row) => [row.id, row.reasons]));
}

/** Reads alerts that fit all filters, newest first, up to `limit` + 1: the extra one shows that there is a next page. */
export async function alertPage(
  ctx: Ctx,
  { status, silenced, limit, cursor }: AlertQuery,
): Promise<(typeof alerts.$inferSelect)[]> {
  return ctx.db
    .select()
    .from(alerts)
    .where(
      and(
        // A held alert is not an outage yet.
        status === undefined ? ne(alerts.status, "held") : eq(alerts.status, status),
        silenced === undefined
          ? undefined
          : silenced
            ? isNotNull(alerts.silenced_by)
            : isNull(alerts.silenced_by),
        olderThan(cursor, alerts.first_received_at, alerts.alert_id),
      ),
    )
    .orderBy(desc(alerts.first_received_at), desc(alerts.alert_id))
    .limit(limit + 1);
}
