import { and, asc, count, desc, eq, gt, inArray, lt, lte, max, notInArray, sql } from "drizzle-orm";
import type { Ctx } from "../db/ctx.ts";
import { alerts, incidents, receipts } from "../db/schema.ts";
import { prefixedId } from "../lib/id.ts";
import type { NormalisedAlert, Receipt, StoredAlert } from "./types.ts";

/** One insert, and so one commit, for all; returns their places in the journal, in order. */
export async function insertReceipts(ctx: Ctx, rows: readonly Omit<Receipt, "seq">[]): Promise<number[]> {
  const written = await ctx.db
    .insert(receipts)
    .values([...rows])
    .returning({ seq: receipts.seq });
  return written.map((row) => row.seq);
}

/** Receipts up to `last` that nobody has understood yet, oldest first. */
export async function waitingReceipts(ctx: Ctx, last: number, limit: number): Promise<Receipt[]> {
  return ctx.db
    .select({
      seq: receipts.seq,
      source: receipts.source,
      sender: receipts.sender,
      body: receipts.body,
      received_at: receipts.received_at,
    })
    .from(receipts)
    .where(and(eq(receipts.state, "received"), lte(receipts.seq, last)))
    .orderBy(asc(receipts.seq))
    .limit(limit);
}

/** Locks those of `seqs` that are still waiting, until the transaction ends, and returns them. */
export async function claimReceipts(ctx: Ctx, seqs: readonly number[]): Promise<Set<number>> {
  const rows = await ctx.db
    .select({ seq: receipts.seq })
    .from(receipts)
    .where(and(inArray(receipts.seq, [...seqs]), eq(receipts.state, "received")))
    .orderBy(asc(receipts.seq))
    .for("no key update");
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

/** Marks a receipt as understood, or as a dead letter when `error` says what was not. */
export async function finishReceipts(
  ctx: Ctx,
  done: readonly { seq: number; alert_count: number; error: string | null }[],
): Promise<void> {
  const now = ctx.clock.now().toISOString();
  // An error may quote what no database can hold: half a surrogate pair, a NUL.
  const rows = done.map(({ error, ...one }) => ({
    ...one,
    error: error?.replaceAll("\0", "\u{fffd}").toWellFormed() ?? null,
  }));
  await ctx.db.execute(sql`
    update receipts r
       set state = case when d.error is null then 'processed' else 'dead' end,
           alert_count = d.alert_count, error = d.error, processed_at = ${now}::timestamptz
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as d(seq bigint, alert_count int, error text)
     where r.seq = d.seq`);
}

// Below the 65,535 parameters that PostgreSQL takes in one statement; an alert has 22.
const UPSERT = 1_000;

/**
 * Stores one row per instance. Deliveries meet in any order and any number of times: resolved wins over
 * firing, so the outcome is the same. `alerts` has each instance key once.
 */
export async function upsertAlerts(
  ctx: Ctx,
  batch: readonly NormalisedAlert[],
  received_at: Date,
): Promise<StoredAlert[]> {
  // Always in the same order: two writers that lock the same rows must not wait for each other.
  const ordered = [...batch].sort((a, b) => (a.instance_key < b.instance_key ? -1 : 1));
  const rows = ordered.map(({ start_known: _, heartbeat: __, ...alert }) => ({
    ...alert,
    alert_id: prefixedId("ALT", ctx.random),
    first_received_at: received_at,
    last_received_at: received_at,
  }));
  const byKey = new Map<string, Awaited<ReturnType<typeof upsertRows>>[number]>();
  for (let at = 0; at < rows.length; at += UPSERT) {
    for (const row of await upsertRows(ctx, rows.slice(at, at + UPSERT))) byKey.set(row.instance_key, row);
  }
  await retireInstances(ctx, batch);
  return batch.flatMap((alert) => {
    const row = byKey.get(alert.instance_key);
    return row === undefined
      ? []
      : [
          {
            ...alert,
            alert_id: row.alert_id,
            incident_id: row.incident_id,
            status: row.status,
            is_new: row.deliveries === 1,
          },
        ];
  });
}

function upsertRows(ctx: Ctx, rows: (typeof alerts.$inferInsert)[]) {
  return ctx.db
    .insert(alerts)
    .values(rows)
    .onConflictDoUpdate({
      target: alerts.instance_key,
      set: {
        last_received_at: sql`greatest(${alerts.last_received_at}, excluded.last_received_at)`,
        deliveries: sql`${alerts.deliveries} + 1`,
        status: sql`case when ${alerts.status} = 'resolved' then 'resolved' else excluded.status end`,
        ends_at: sql`coalesce(${alerts.ends_at}, excluded.ends_at)`,
      },
    })
    .returning({
      instance_key: alerts.instance_key,
      alert_id: alerts.alert_id,
      incident_id: alerts.incident_id,
      status: alerts.status,
      deliveries: alerts.deliveries,
    });
}

/** An instance without a known start ends with its resolution: its key is freed for the next one. */
async function retireInstances(ctx: Ctx, batch: readonly NormalisedAlert[]): Promise<void> {
  const keys = batch
    .filter((alert) => !alert.start_known && alert.status === "resolved")
    .map((alert) => alert.instance_key);
  if (keys.length === 0) return;
  await ctx.db
    .update(alerts)
    .set({ instance_key: sql`${alerts.instance_key} || ':' || ${alerts.alert_id}` })
    .where(and(inArray(alerts.instance_key, keys), eq(alerts.status, "resolved")));
}

/** Says to which incident these alerts belong. */
export async function assignAlerts(
  ctx: Ctx,
  incident_id: string,
  alert_ids: readonly string[],
): Promise<void> {
  if (alert_ids.length === 0) return;
  await ctx.db
    .update(alerts)
    .set({ incident_id })
    .where(inArray(alerts.alert_id, [...alert_ids]));
}

/** Which of these incidents still have an alert that fires. */
export async function firingIncidents(ctx: Ctx, incident_ids: readonly string[]): Promise<Set<string>> {
  if (incident_ids.length === 0) return new Set();
  const rows = await ctx.db
    .selectDistinct({ id: alerts.incident_id })
    .from(alerts)
    .where(and(inArray(alerts.incident_id, [...incident_ids]), eq(alerts.status, "firing")));
  return new Set(rows.flatMap((row) => (row.id === null ? [] : [row.id])));
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

/** How often instances of a fingerprint began since each of `moments`. */
export async function instancesSince(
  ctx: Ctx,
  fingerprints: readonly string[],
  moments: readonly Date[],
): Promise<Map<string, number[]>> {
  const oldest = new Date(Math.min(...moments.map((at) => at.getTime())));
  const columns = moments.map(
    (at) => sql`count(*) filter (where first_received_at > ${at.toISOString()}::timestamptz)::int`,
  );
  const rows = await ctx.db
    .select({ fingerprint: alerts.fingerprint, counts: sql<number[]>`array[${sql.join(columns, sql`, `)}]` })
    .from(alerts)
    .where(and(inArray(alerts.fingerprint, [...fingerprints]), gt(alerts.first_received_at, oldest)))
    .groupBy(alerts.fingerprint);
  return new Map(rows.map((row) => [row.fingerprint, row.counts]));
}

/** The names of an incident's alerts that fire. */
export async function alertNamesOf(ctx: Ctx, incident_id: string): Promise<string[]> {
  const rows = await ctx.db
    .selectDistinct({ name: alerts.alert_name })
    .from(alerts)
    .where(and(eq(alerts.incident_id, incident_id), eq(alerts.status, "firing")));
  return rows.map((row) => row.name);
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
    lt(alerts.last_received_at, before),
    sql`(${alerts.status} = 'resolved' or ${alerts.incident_id} is null or not ${live})`,
  );
  return { table: alerts, key: alerts.alert_id, order: alerts.last_received_at, where };
}
