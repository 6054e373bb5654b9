import { and, count, desc, eq, gt, lt, max, notInArray, sql } from "drizzle-orm";
import type { SilencedBy } from "../contract/silence.ts";
import type { Ctx } from "../db/ctx.ts";
import { jsonRows } from "../db/json-rows.ts";
import { oneOf } from "../db/one-of.ts";
import { alerts, incidents, receipts } from "../db/schema.ts";
import { KEY_VERSION, type Keys, type OldKeys } from "./keys.ts";
import type { HeardAlert, NormalisedAlert, Receipt, StoredAlert } from "./types.ts";

/** Bodies as one value that PostgreSQL cuts up: one parameter for each costs more than the disk does. */
export function packed<Row extends Omit<Receipt, "seq">>(rows: readonly Row[]) {
  const bodies = Buffer.concat(rows.map((row) => row.body));
  let end = 1;
  const fields = rows.map(({ body, ...fields }) => {
    const start = end;
    end += body.length;
    return { ...fields, start, size: body.length };
  });
  return { bodies, fields };
}

/** One insert, and so one commit, for all; returns their places in the journal, in order. */
export async function insertReceipts(ctx: Ctx, rows: readonly Omit<Receipt, "seq">[]): Promise<number[]> {
  const { bodies, fields } = packed(rows);
  const written = await ctx.db.execute<{ seq: string }>(sql`
    insert into receipts (source, sender, body, received_at, idempotency_key, stream_id)
    select source, sender, substring(${bodies}::bytea from start for size), received_at, idempotency_key, stream_id
      from json_to_recordset(${jsonRows(fields)}::json)
        as r(source text, sender text, start int, size int, received_at timestamptz, idempotency_key text, stream_id text)
    returning seq`);
  return written.rows.map((row) => Number(row.seq));
}

// Bodies of one look: enough to keep the database busy, few enough to be read within any time-out.
const LOOK_BYTES = 8 * 1024 * 1024;

/** Receipts up to `last` that nobody has understood yet, oldest first; the first of them, whatever its size. */
export async function waitingReceipts(ctx: Ctx, last: number, limit: number): Promise<Receipt[]> {
  const { rows } = await ctx.db.execute<
    Omit<Receipt, "seq" | "received_at"> & { seq: string; received_at: string }
  >(sql`
    with oldest as (
      select seq, octet_length(body) as size from receipts
       where state = 'received' and seq <= ${last} order by seq limit ${limit}),
    summed as (
      select seq, size, sum(size) over (order by seq) as total from oldest)
    select seq, source, sender, body, received_at, idempotency_key, replays
      from receipts join (select seq from summed where total - size = 0 or total <= ${LOOK_BYTES}) s using (seq)
     order by seq`);
  return rows.map((row) => ({ ...row, seq: Number(row.seq), received_at: new Date(row.received_at) }));
}

/** Which of these receipts nobody has understood yet. */
export async function stillWaiting(ctx: Ctx, seqs: readonly number[]): Promise<Set<number>> {
  const rows = await ctx.db
    .select({ seq: receipts.seq })
    .from(receipts)
    .where(and(oneOf(receipts.seq, seqs), eq(receipts.state, "received")));
  return new Set(rows.map((row) => row.seq));
}

/** How many receipts wait to be understood, and the place of the last of them; 0 when there are none. */
export async function waitingSummary(ctx: Ctx): Promise<{ count: number; last: number }> {
  const [row] = await ctx.db
    .select({ count: count(), last: max(receipts.seq) })
    .from(receipts)
    .where(eq(receipts.state, "received"));
  return { count: row?.count ?? 0, last: row?.last ?? 0 };
}

/**
 * Marks receipts as understood, or as dead letters when `error` says what was not; returns how many of
 * them were still waiting. Each is marked once, whoever is faster.
 */
export async function finishReceipts(
  ctx: Ctx,
  done: readonly { seq: number; alert_count: number; error: string | null }[],
): Promise<number> {
  const now = ctx.clock.now().toISOString();
  const { rowCount } = await ctx.db.execute(sql`
    update receipts r
       set state = case when d.error is null then 'processed' else 'dead' end,
           alert_count = d.alert_count, error = d.error, processed_at = ${now}::timestamptz
      from json_to_recordset(${jsonRows(done)}::json) as d(seq bigint, alert_count int, error text)
     where r.seq = d.seq and r.state = 'received'`);
  return rowCount ?? 0;
}

type Known = Pick<StoredAlert, "alert_id" | "incident_id" | "status"> & { silenced_by: SilencedBy[] | null };

/**
 * Counts deliveries of instances that are stored already; returns those, by instance key. Deliveries meet
 * in any order and any number of times: resolved wins over firing, so the outcome is the same.
 */
export async function touchAlerts(ctx: Ctx, heard: readonly HeardAlert[]): Promise<Map<string, Known>> {
  const now = ctx.clock.now().toISOString();
  const said = heard.map(({ instance_key, status, ends_at, holds_until, times }) => ({
    instance_key,
    status,
    ends_at,
    holds_until,
    times,
  }));
  const { rows } = await ctx.db.execute<Known & { instance_key: string }>(sql`
    update alerts a
       set last_received_at = greatest(a.last_received_at, ${now}::timestamptz),
           deliveries = a.deliveries + d.times,
           status = case when a.status = 'resolved' then 'resolved' else d.status end,
           ends_at = coalesce(a.ends_at, d.ends_at),
           holds_until = greatest(a.holds_until, d.holds_until)
      from json_to_recordset(${jsonRows(said)}::json)
        as d(instance_key text, status text, ends_at timestamptz, holds_until timestamptz, times int)
     where a.instance_key = d.instance_key
    returning a.instance_key, a.alert_id, a.incident_id, a.status, a.silenced_by`);
  return new Map(rows.map((row) => [row.instance_key, row]));
}

/** A resolved notice that no start binds to one instance: over is over, for all of them. */
export function endsAll(alert: Pick<NormalisedAlert, "of_call" | "repeated" | "status">): boolean {
  return (alert.of_call || alert.repeated === true) && alert.status === "resolved";
}

/**
 * Ends the firing instances of these notices' alerts, and returns the notice once for each of them. An
 * instance that began after its notice came, which can only be a replay, goes on; so does what is repeated
 * and began after the end that the notice tells of. Its key is freed for its next instance.
 */
export async function endInstances(ctx: Ctx, notices: readonly NormalisedAlert[]): Promise<StoredAlert[]> {
  if (notices.length === 0) return [];
  const { rows } = await ctx.db.execute<{ notice: string; alert_id: string; incident_id: string | null }>(sql`
    update alerts a
       set status = 'resolved', ends_at = coalesce(n.ends_at, n.until), last_received_at = greatest(a.last_received_at, n.until),
           instance_key = case when n.repeated then a.instance_key || ':' || a.alert_id else a.instance_key end
      from json_to_recordset(${identities(notices)}::json)
        as n(instance_key text, fingerprint text, source_fingerprint text, until timestamptz, ends_at timestamptz, repeated boolean)
     where a.fingerprint = n.fingerprint and a.source_fingerprint = n.source_fingerprint
       and a.status = 'firing' and least(a.starts_at, a.first_received_at) <= n.until
    returning n.instance_key as notice, a.alert_id, a.incident_id`);
  const byKey = new Map(notices.map((notice) => [notice.instance_key, notice]));
  return rows.flatMap(({ notice, alert_id, incident_id }) => {
    const ended = byKey.get(notice);
    return ended === undefined ? [] : [{ ...ended, alert_id, incident_id, is_new: false }];
  });
}

const identities = (alerts: readonly NormalisedAlert[]) =>
  jsonRows(
    alerts.map(
      ({
        instance_key,
        fingerprint,
        source_fingerprint,
        status,
        starts_at,
        start_known,
        ends_at,
        repeated,
      }) => ({
        instance_key,
        fingerprint,
        source_fingerprint,
        status,
        starts_at,
        start_known,
        ends_at,
        until: repeated === true && ends_at !== null ? ends_at : starts_at,
        repeated: repeated === true,
      }),
    ),
  );

/**
 * Of the alerts in a receipt that is replayed those that are still news: no instance that was counted
 * already, and, where no start tells instances apart, nothing that ended after the receipt came and no
 * end of what began after it.
 */
export async function stillNews(ctx: Ctx, batch: readonly NormalisedAlert[]): Promise<NormalisedAlert[]> {
  const { rows } = await ctx.db.execute<{ instance_key: string }>(sql`
    select n.instance_key
      from json_to_recordset(${identities(batch)}::json)
        as n(instance_key text, fingerprint text, source_fingerprint text, status text, starts_at timestamptz, start_known boolean, until timestamptz)
      left join alerts a on a.instance_key = n.instance_key
     where case n.status
       when 'resolved' then n.start_known or a.first_received_at is null or a.first_received_at <= n.until
       else a.alert_id is null and (n.start_known or not exists (
         select 1 from alerts e
          where e.fingerprint = n.fingerprint and e.source_fingerprint = n.source_fingerprint
            and e.status = 'resolved' and coalesce(e.ends_at, e.last_received_at) >= n.starts_at)) end`);
  const news = new Set(rows.map((row) => row.instance_key));
  return batch.filter((alert) => news.has(alert.instance_key));
}

/** PostgreSQL's own code for what must be done again because another transaction came between. */
const SERIALISATION_FAILURE = "40001";

/**
 * Stores instances that were not known. Throws a serialisation failure, upon which the transaction is run
 * again, when another one has stored one of them meanwhile.
 */
export async function insertAlerts(ctx: Ctx, fresh: readonly (StoredAlert & HeardAlert)[]): Promise<void> {
  if (fresh.length === 0) return;
  const now = ctx.clock.now().toISOString();
  const { rowCount } = await ctx.db.execute(sql`
    insert into alerts (alert_id, instance_key, source, source_fingerprint, fingerprint, anomaly_key, key_version, incident_id, status,
           alert_name, alert_type, severity, alert_category, notification_type, cluster, namespace,
           target_resource, message, labels, annotations, starts_at, ends_at, holds_until, generator_url, deliveries,
           silenced_by, first_received_at, last_received_at)
    select alert_id, instance_key, source, source_fingerprint, fingerprint, anomaly_key, ${KEY_VERSION}::int, incident_id, status,
           alert_name, alert_type, severity, alert_category, notification_type, cluster, namespace,
           target_resource, message, labels, annotations, starts_at, ends_at, holds_until, generator_url, times,
           silenced_by, ${now}::timestamptz, ${now}::timestamptz
      from json_to_recordset(${jsonRows(fresh)}::json)
        as a(alert_id text, instance_key text, source text, source_fingerprint text, fingerprint text,
             anomaly_key text, incident_id text, status text, alert_name text, alert_type text, severity text,
             alert_category text, notification_type text, cluster text, namespace text,
             target_resource text, message text, labels jsonb, annotations jsonb, starts_at timestamptz,
             ends_at timestamptz, holds_until timestamptz, generator_url text, times int, silenced_by jsonb)
    on conflict (instance_key) do nothing`);
  if (rowCount !== fresh.length) {
    throw Object.assign(new Error("an alert was stored meanwhile"), { code: SERIALISATION_FAILURE });
  }
}

/** An instance without a known start ends with its resolution: its key is freed for the next one. */
export async function retireInstances(ctx: Ctx, batch: readonly NormalisedAlert[]): Promise<void> {
  const keys = batch
    .filter((alert) => !alert.start_known && !alert.of_call && alert.status === "resolved")
    .map((alert) => alert.instance_key);
  if (keys.length === 0) return;
  await ctx.db
    .update(alerts)
    .set({ instance_key: sql`${alerts.instance_key} || ':' || ${alerts.alert_id}` })
    .where(and(oneOf(alerts.instance_key, keys), eq(alerts.status, "resolved")));
}

/** Says to which incident stored alerts belong. */
export async function assignAlerts(
  ctx: Ctx,
  moved: readonly { alert_id: string; incident_id: string }[],
): Promise<void> {
  if (moved.length === 0) return;
  await ctx.db.execute(sql`
    update alerts a set incident_id = m.incident_id
      from json_to_recordset(${jsonRows(moved)}::json) as m(alert_id text, incident_id text)
     where a.alert_id = m.alert_id`);
}

/** Which of these incidents still have an alert that fires. */
export async function firingIncidents(ctx: Ctx, incident_ids: readonly string[]): Promise<Set<string>> {
  if (incident_ids.length === 0) return new Set();
  // One look into an index for each, however many alerts an incident has.
  const { rows } = await ctx.db.execute<{ id: string }>(sql`
    select id from unnest(${sql.param([...incident_ids])}::text[]) as id
     where exists (select from alerts where incident_id = id and status = 'firing')`);
  return new Set(rows.map((row) => row.id));
}

/** The incidents of these instances, of those that fire. */
export async function incidentsOfFiring(ctx: Ctx, instance_keys: readonly string[]): Promise<string[]> {
  const rows = await ctx.db
    .selectDistinct({ incident_id: alerts.incident_id })
    .from(alerts)
    .where(and(oneOf(alerts.instance_key, [...instance_keys]), eq(alerts.status, "firing")));
  return rows.flatMap((row) => row.incident_id ?? []);
}

/** The alerts of an incident, newest first; 1,000 at most. */
export async function alertRows(ctx: Ctx, incident_id: string): Promise<(typeof alerts.$inferSelect)[]> {
  return ctx.db
    .select()
    .from(alerts)
    .where(eq(alerts.incident_id, incident_id))
    .orderBy(desc(alerts.first_received_at), desc(alerts.alert_id))
    .limit(1_000);
}

/** How often trouble of an anomaly key began since each of `moments`. */
export async function instancesSince(
  ctx: Ctx,
  anomaly_keys: readonly string[],
  moments: readonly Date[],
): Promise<Map<string, number[]>> {
  const oldest = new Date(Math.min(...moments.map((at) => at.getTime())));
  const columns = moments.map(
    (at) => sql`count(*) filter (where first_received_at > ${at.toISOString()}::timestamptz)::int`,
  );
  const rows = await ctx.db
    .select({ key: alerts.anomaly_key, counts: sql<number[]>`array[${sql.join(columns, sql`, `)}]` })
    .from(alerts)
    .where(and(oneOf(alerts.anomaly_key, anomaly_keys), gt(alerts.first_received_at, oldest)))
    .groupBy(alerts.anomaly_key);
  return new Map(rows.map((row) => [row.key, row.counts]));
}

/** The names of an incident's alerts that fire. */
export async function alertNamesOf(ctx: Ctx, incident_id: string): Promise<string[]> {
  const rows = await ctx.db
    .selectDistinct({ name: alerts.alert_name })
    .from(alerts)
    .where(and(eq(alerts.incident_id, incident_id), eq(alerts.status, "firing")));
  return rows.map((row) => row.name);
}

/** The label `auto_repair` of everything that fires in an incident and its effects, each value once. */
export async function repairLabelsOf(ctx: Ctx, incident_id: string): Promise<(string | null)[]> {
  const { rows } = await ctx.db.execute<{ value: string | null }>(sql`
    select distinct labels->>'auto_repair' as value from alerts
     where status = 'firing' and incident_id = any(array(
       select ${incident_id}::text union all select e.incident_id from incidents e where e.merged_into = ${incident_id}))`);
  return rows.map((row) => row.value);
}

/** Receipts from before `before` that are understood; one that still waits is never old. */
export function oldReceipts(before: Date) {
  const where = and(notInArray(receipts.state, ["received", "dead"]), lt(receipts.received_at, before));
  return { table: receipts, key: receipts.seq, order: receipts.received_at, where };
}

export function oldDeadLetters(before: Date) {
  const where = and(eq(receipts.state, "dead"), lt(receipts.received_at, before));
  return { table: receipts, key: receipts.seq, order: receipts.received_at, where };
}

/** Alerts not heard of since `before`, but for those that fire in an incident which is not over. */
export function oldAlerts(before: Date) {
  const live = sql`exists (select from ${incidents} i
    where i.incident_id = ${alerts.incident_id} and i.status in ('investigating', 'mitigating'))`;
  const where = and(
    // The index is on the first.
    lt(alerts.first_received_at, before),
    lt(alerts.last_received_at, before),
    sql`(${alerts.status} = 'resolved' or ${alerts.incident_id} is null or not ${live})`,
  );
  return { table: alerts, key: alerts.alert_id, order: alerts.first_received_at, where };
}

/** Alerts whose keys are of an earlier version, by their ids, after `after`. */
export async function alertsOfOldKeys(
  ctx: Ctx,
  after: string,
  limit: number,
): Promise<(OldKeys & { alert_id: string; source: string })[]> {
  return ctx.db
    .select()
    .from(alerts)
    .where(and(gt(alerts.alert_id, after), lt(alerts.key_version, KEY_VERSION)))
    .orderBy(alerts.alert_id)
    .limit(limit);
}

/** Writes the keys of these alerts, in the present version. */
export async function writeKeys(ctx: Ctx, rows: readonly (Keys & { alert_id: string })[]): Promise<void> {
  await ctx.db.execute(sql`
    update alerts a
       set fingerprint = k.fingerprint, source_fingerprint = k.source_fingerprint, anomaly_key = k.anomaly_key,
           key_version = ${KEY_VERSION}::int
      from json_to_recordset(${jsonRows(rows)}::json)
        as k(alert_id text, fingerprint text, source_fingerprint text, anomaly_key text)
     where a.alert_id = k.alert_id`);
}
