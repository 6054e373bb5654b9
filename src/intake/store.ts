import { and, asc, count, desc, eq, gt, isNull, lt, max, ne, notInArray, or, sql } from "drizzle-orm";
import type { PageQuery, Severity } from "../contract/common.ts";
import type { SilencedBy } from "../contract/silence.ts";
import type { Ctx } from "../db/ctx.ts";
import { jsonRows } from "../db/json-rows.ts";
import { oneOf } from "../db/one-of.ts";
import { olderThan } from "../db/page.ts";
import { alerts, incidents, receipts } from "../db/schema.ts";
import { type AlertKeys, KEY_VERSION, type OldKeys } from "./normalise/keys.ts";
import { allowsRepair, parseRestrictions, type RepairRestriction } from "./normalise/repair-restrictions.ts";
import type { Receipt } from "./types.ts";

// Notification type of pure information, about which no decision is made.
const INFORMATION = "TYPE-1";

/** Packs bodies into one parameter, which PostgreSQL cuts up: one parameter for each costs more than the disk does. */
export function packBodies<Row extends Omit<Receipt, "seq">>(rows: readonly Row[]) {
  const bodies = Buffer.concat(rows.map((row) => row.body));
  let end = 1;
  const fields = rows.map(({ body, ...fields }) => {
    const start = end;
    end += body.length;
    return { ...fields, start, size: body.length };
  });
  return { bodies, fields };
}

/** Inserts all receipts with one statement, and so one commit; returns their places in the journal, in order. */
export async function insertReceipts(ctx: Ctx, rows: readonly Omit<Receipt, "seq">[]): Promise<number[]> {
  const { bodies, fields } = packBodies(rows);
  const written = await ctx.db.execute<{ seq: string }>(sql`
    insert into receipts (source, sender, body, received_at, idempotency_key, stream_id)
    select source, sender, substring(${bodies}::bytea from start for size), received_at, idempotency_key, stream_id
      from json_to_recordset(${jsonRows(fields)}::json)
        as r(source text, sender text, start int, size int, received_at timestamptz, idempotency_key text, stream_id text)
    returning seq`);
  return written.rows.map((row) => Number(row.seq));
}

// Bytes of bodies read at once: enough to keep the database busy, few enough to be read within any timeout.
const LOOK_BYTES = 8 * 1024 * 1024;

/**
 * Reads receipts after `after` up to `last` that are not processed yet, oldest first, up to 8 MiB of bodies; the first of them
 * whatever its size.
 */
export async function waitingReceipts(
  ctx: Ctx,
  last: number,
  limit: number,
  after = 0,
): Promise<(Receipt & { tries: number })[]> {
  const { rows } = await ctx.db.execute<
    Omit<Receipt, "seq" | "received_at"> & { seq: string; received_at: string; tries: number }
  >(sql`
    with oldest as (
      select seq, octet_length(body) as size from receipts
       where state = 'received' and seq > ${after} and seq <= ${last} order by seq limit ${limit}),
    summed as (
      select seq, size, sum(size) over (order by seq) as total from oldest)
    select seq, source, sender, body, received_at, idempotency_key, replays, tries
      from receipts join (select seq from summed where total - size = 0 or total <= ${LOOK_BYTES}) s using (seq)
     order by seq`);
  return rows.map((row) => ({ ...row, seq: Number(row.seq), received_at: new Date(row.received_at) }));
}

/**
 * Counts one more try of these receipts, before they are processed. Returns those that still wait, with the number of tries
 * including this one.
 */
export async function incrementTries(ctx: Ctx, seqs: readonly number[]): Promise<Map<number, number>> {
  const rows = await ctx.db
    .update(receipts)
    .set({ tries: sql`${receipts.tries} + 1` })
    .where(and(oneOf(receipts.seq, seqs), eq(receipts.state, "received")))
    .returning({ seq: receipts.seq, tries: receipts.tries });
  return new Map(rows.map((row) => [row.seq, row.tries]));
}

/** Sets the statement timeout of the open transaction, so that the server ends statements too. */
export async function boundStatements(ctx: Ctx, milliseconds: number): Promise<void> {
  await ctx.db.execute(sql`select set_config('statement_timeout', ${String(milliseconds)}, true)`);
}

/** Returns which of these receipts are not processed yet. */
export async function unprocessedReceipts(ctx: Ctx, seqs: readonly number[]): Promise<Set<number>> {
  const rows = await ctx.db
    .select({ seq: receipts.seq })
    .from(receipts)
    .where(and(oneOf(receipts.seq, seqs), eq(receipts.state, "received")));
  return new Set(rows.map((row) => row.seq));
}

/** Returns how many receipts wait to be processed, and the place of the last of them; 0 when there are none. */
export async function waitingSummary(ctx: Ctx): Promise<{ count: number; last: number }> {
  const [row] = await ctx.db
    .select({ count: count(), last: max(receipts.seq) })
    .from(receipts)
    .where(eq(receipts.state, "received"));
  return { count: row?.count ?? 0, last: row?.last ?? 0 };
}

/**
 * Marks receipts as processed, or as dead letters when `error` says what could not be parsed; returns how many of them were still
 * waiting. Each is marked only once, even by concurrent processes.
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

/** Sets the incident of stored alerts. */
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

/** Returns which of these incidents still have a firing alert. */
export async function firingIncidents(ctx: Ctx, incident_ids: readonly string[]): Promise<Set<string>> {
  if (incident_ids.length === 0) return new Set();
  // One index lookup for each incident, however many alerts it has.
  const { rows } = await ctx.db.execute<{ id: string }>(sql`
    select id from unnest(${sql.param([...incident_ids])}::text[]) as id
     where exists (select from alerts where incident_id = id and status = 'firing')`);
  return new Set(rows.map((row) => row.id));
}

/**
 * Returns the incidents of firing alerts with these names: identities (of sources that do not count calls), or instance keys from
 * before outages were counted.
 */
export async function incidentsOfFiring(ctx: Ctx, names: readonly string[]): Promise<string[]> {
  const rows = await ctx.db
    .selectDistinct({ incident_id: alerts.incident_id })
    .from(alerts)
    .where(
      and(
        or(
          and(oneOf(alerts.identity, names), isNull(alerts.instance_key)),
          oneOf(alerts.instance_key, names),
        ),
        eq(alerts.status, "firing"),
      ),
    );
  return rows.flatMap((row) => row.incident_id ?? []);
}

/** Reads up to `limit` + 1 alerts of an incident, newest first: the extra one shows that there is a next page. */
export async function alertRows(
  ctx: Ctx,
  incident_id: string,
  { limit, cursor }: PageQuery,
): Promise<(typeof alerts.$inferSelect)[]> {
  const { first_received_at, alert_id } = alerts;
  return ctx.db
    .select()
    .from(alerts)
    .where(and(eq(alerts.incident_id, incident_id), olderThan(cursor, first_received_at, alert_id)))
    .orderBy(desc(first_received_at), desc(alert_id))
    .limit(limit + 1);
}

/** Counts, for each anomaly key, the outages that began since each of `moments`; one that several sources report counts once. */
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
    .where(
      and(
        oneOf(alerts.anomaly_key, anomaly_keys),
        gt(alerts.first_received_at, oldest),
        ne(alerts.status, "held"),
        isNull(alerts.same_as),
      ),
    )
    .groupBy(alerts.anomaly_key);
  return new Map(rows.map((row) => [row.key, row.counts]));
}

/** Returns the names of an incident's firing alerts. */
export async function alertNamesOf(ctx: Ctx, incident_id: string): Promise<string[]> {
  const rows = await ctx.db
    .selectDistinct({ name: alerts.alert_name })
    .from(alerts)
    .where(and(eq(alerts.incident_id, incident_id), eq(alerts.status, "firing")));
  return rows.map((row) => row.name);
}

// Alerts of one incident carry the same labels about where it is, or nearly so.
const LABELS_READ = 200;

/** Returns the labels of an incident's firing alerts, of the oldest 200. */
export async function firingLabelsOf(ctx: Ctx, incident_id: string): Promise<Record<string, string>[]> {
  const rows = await ctx.db
    .select({ labels: alerts.labels })
    .from(alerts)
    .where(and(eq(alerts.incident_id, incident_id), eq(alerts.status, "firing")))
    .orderBy(asc(alerts.first_received_at), asc(alerts.alert_id))
    .limit(LABELS_READ);
  return rows.map((row) => row.labels);
}

/** What senders report of an incident that bears on whether it may be repaired automatically. */
export type ReportedFacts = RepairRestriction & { severity: Severity | null; firing: boolean };

type ReportedRow = {
  auto_repair: string | null;
  severity: Severity | null;
  alert_category: string;
  notification_type: string;
  narrows: string[];
  firing: boolean;
};

/** Builds `ReportedFacts` from a row; for alerts stored before `narrows` was kept, from their own label and category. */
function reportedFacts({ severity, firing, ...row }: ReportedRow): ReportedFacts {
  const { notification_types, ...said } = parseRestrictions(row.narrows);
  const labels = [...(row.auto_repair === null ? [] : [row.auto_repair]), ...said.auto_repair];
  return {
    ...said,
    severity,
    firing,
    auto_repair: labels.filter((label) => !allowsRepair(label)),
    categories: [...new Set([row.alert_category, ...said.categories])],
    // An alert that was information to begin with is about something else than the incident's trouble.
    notification_types: row.notification_type === INFORMATION ? [] : notification_types,
  };
}

/** Returns what all alerts of these incidents say, whether they fire or not, without duplicates. */
export async function saidOfIncidents(ctx: Ctx, incident_ids: readonly string[]): Promise<ReportedFacts[]> {
  const { rows } = await ctx.db.execute<ReportedRow>(sql`
    select distinct labels->>'auto_repair' as auto_repair, severity, alert_category, notification_type, narrows,
           status = 'firing' as firing
      from alerts
     where incident_id = any(${sql.param([...incident_ids])}::text[])`);
  return rows.map(reportedFacts);
}

/** Selects processed receipts from before `before`: none that waits is old, and dead letters are kept separately. */
export function oldReceipts(before: Date) {
  const where = and(notInArray(receipts.state, ["received", "dead"]), lt(receipts.received_at, before));
  return { table: receipts, key: receipts.seq, order: receipts.received_at, where };
}

export function oldDeadLetters(before: Date) {
  const where = and(eq(receipts.state, "dead"), lt(receipts.received_at, before));
  return { table: receipts, key: receipts.seq, order: receipts.received_at, where };
}

/** Selects alerts not received since `before`, except those that fire in an incident which is not over. */
export function oldAlerts(before: Date) {
  const live = sql`exists (select from ${incidents} i
    where i.incident_id = ${alerts.incident_id} and i.status in ('investigating', 'mitigating'))`;
  const where = and(
    // The index is on `first_received_at`.
    lt(alerts.first_received_at, before),
    lt(alerts.last_received_at, before),
    sql`(${alerts.status} = 'resolved' or ${alerts.incident_id} is null or not ${live})`,
  );
  return { table: alerts, key: alerts.alert_id, order: alerts.first_received_at, where };
}

/** Reads alerts whose keys are of an earlier version, ordered by id, after `after`. */
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

/** Stores the keys of these alerts, in the present version. */
export async function writeKeys(
  ctx: Ctx,
  rows: readonly (AlertKeys & { alert_id: string })[],
): Promise<void> {
  await ctx.db.execute(sql`
    update alerts a
       set fingerprint = k.fingerprint, source_fingerprint = k.source_fingerprint, anomaly_key = k.anomaly_key,
           key_version = ${KEY_VERSION}::int
      from json_to_recordset(${jsonRows(rows)}::json)
        as k(alert_id text, fingerprint text, source_fingerprint text, anomaly_key text)
     where a.alert_id = k.alert_id`);
}

/** Sets what keeps alerts silent; null: they are not silenced. */
export async function setSilencedBy(
  ctx: Ctx,
  marks: readonly { alert_id: string; silenced_by: SilencedBy[] | null }[],
): Promise<void> {
  if (marks.length === 0) return;
  await ctx.db.execute(sql`
    update alerts a set silenced_by = m.silenced_by
      from json_to_recordset(${jsonRows(marks)}::json) as m(alert_id text, silenced_by jsonb)
     where a.alert_id = m.alert_id`);
}

/** Marks the firing alerts of an incident as silenced by `by`, except those that are silenced already. */
export async function silenceFiringOf(ctx: Ctx, incident_id: string, by: SilencedBy): Promise<void> {
  await ctx.db
    .update(alerts)
    .set({ silenced_by: [by] })
    .where(and(eq(alerts.incident_id, incident_id), eq(alerts.status, "firing"), isNull(alerts.silenced_by)));
}
