import { and, asc, desc, eq, gt, isNull, lte, type SQL, sql } from "drizzle-orm";
import type { Ctx } from "../../db/ctx.ts";
import { oneOf } from "../../db/one-of.ts";
import { alerts, incidents } from "../../db/schema.ts";
import { placeOfTime } from "../outage/decide.ts";

/** Returns the moment before which every receipt is processed: now, where no receipt waits. */
export async function processedUntil(ctx: Ctx): Promise<Date> {
  const now = ctx.clock.now();
  const { rows } = await ctx.db.execute<{ received_at: string }>(
    sql`select received_at from receipts where state = 'received' order by seq limit 1`,
  );
  const oldest = rows[0] === undefined ? now : new Date(rows[0].received_at);
  return new Date(Math.min(oldest.getTime(), now.getTime()));
}

/** When AWOOOI listened. `since`: when it began to; `until`: receipts from before then are processed. */
export type IntakeWindow = { since: Date; until: Date };

// Longest extension of a deadline that passed while AWOOOI did not listen. No sender repeats less often; and an alert sent once
// with an end a day ahead is not kept for another day.
const LONGEST_EXTENSION = "15 minutes";
// Allowance for AWOOOI's own processing delays.
const GRACE = "5 seconds";

/** True for a firing alert that was not repeated in time. The time starts again after AWOOOI was not listening. */
function isLapsed({ since, until }: IntakeWindow): SQL {
  const extension = sql`least(${alerts.holds_until} - ${alerts.last_received_at}, ${LONGEST_EXTENSION}::interval)`;
  return sql`${alerts.status} = 'firing' and ${alerts.holds_until} is not null
    and greatest(${alerts.holds_until}, ${since.toISOString()}::timestamptz + ${extension})
        <= ${until.toISOString()}::timestamptz - ${GRACE}::interval`;
}

export async function lapsedAlerts(
  ctx: Ctx,
  { limit, ...window }: IntakeWindow & { limit: number },
): Promise<{ alert_id: string; fingerprint: string }[]> {
  const { alert_id, fingerprint } = alerts;
  return ctx.db.select({ alert_id, fingerprint }).from(alerts).where(isLapsed(window)).limit(limit);
}

type Ended = Pick<typeof alerts.$inferSelect, "incident_id" | "alert_name" | "status">;

/** Ends those of these alerts that are still lapsed. A later firing notice from any sender begins another outage. */
export async function endLapsed(ctx: Ctx, ids: readonly string[], window: IntakeWindow): Promise<Ended[]> {
  if (ids.length === 0) return [];
  const { incident_id, alert_name, status } = alerts;
  return ctx.db
    .update(alerts)
    .set({
      status: "resolved",
      ends_at: sql`${alerts.holds_until}`,
      ended_with: placeOfTime(window.until),
      ended_by: {},
    })
    .where(and(oneOf(alerts.alert_id, ids), isLapsed(window)))
    .returning({ incident_id, alert_name, status });
}

// Enough labels to tell whom an incident concerns; of the oldest alerts, so that all notices about it go to the same people.
const LABELS = 200;

/** Returns labels of each incident's first 200 alerts, then of incidents merged into it; 200 in all. */
export async function labelsOfIncidents(
  ctx: Ctx,
  incident_ids: readonly string[],
): Promise<Map<string, Record<string, string>[]>> {
  // In the order of one index, so that no more rows are read however many an incident has.
  const oldest = (incident_id: SQL) => sql`
    select first_received_at, alert_id, labels from alerts
     where incident_id <= ${incident_id} and (incident_id, first_received_at, alert_id) >= (${incident_id}, '-infinity', '')
     order by incident_id, first_received_at, alert_id limit ${LABELS}`;
  const { rows } = await ctx.db.execute<{ id: string; labels: Record<string, string> }>(sql`
    select id, a.labels from unnest(${sql.param([...incident_ids])}::text[]) as id
     cross join lateral (
       select labels from (
         select false as of_effect, own.* from (${oldest(sql`id`)}) own
         union all
         select true, theirs.* from incidents e cross join lateral (${oldest(sql`e.incident_id`)}) theirs
          where e.merged_into = id) every
        order by of_effect, first_received_at, alert_id limit ${LABELS}) a`);
  const found = new Map<string, Record<string, string>[]>();
  for (const { id, labels } of rows) found.set(id, [...(found.get(id) ?? []), labels]);
  return found;
}

/** Returns unsilenced firing alerts received since `receivedSince`, of incidents that their end resolved by `resolved`. */
export async function firingOfResolved(
  ctx: Ctx,
  { resolved, receivedSince, limit }: { resolved: Date; receivedSince: Date; limit: number },
): Promise<(typeof alerts.$inferSelect)[]> {
  const rows = await ctx.db
    .select({ alert: alerts })
    .from(incidents)
    .innerJoin(alerts, eq(alerts.incident_id, incidents.incident_id))
    .where(
      and(
        eq(incidents.status, "resolved"),
        eq(incidents.resolved_through, "notice"),
        lte(incidents.resolved_at, resolved),
        eq(alerts.status, "firing"),
        isNull(alerts.silenced_by),
        gt(alerts.last_received_at, receivedSince),
      ),
    )
    .orderBy(asc(alerts.alert_id))
    .limit(limit);
  return rows.map((row) => row.alert);
}

/** Returns the ids of firing alerts with all of these labels, newest first. */
export async function firingIds(ctx: Ctx, labels: Record<string, string>, limit: number): Promise<string[]> {
  const some = Object.keys(labels).length > 0;
  const rows = await ctx.db
    .select({ alert_id: alerts.alert_id })
    .from(alerts)
    .where(
      and(
        eq(alerts.status, "firing"),
        some ? sql`${alerts.labels} @> ${JSON.stringify(labels)}::jsonb` : undefined,
      ),
    )
    .orderBy(desc(alerts.first_received_at), desc(alerts.alert_id))
    .limit(limit);
  return rows.map((row) => row.alert_id);
}

/** Returns those of these alerts that still fire, newest first, with the columns that readers are shown. */
export async function firingRows(ctx: Ctx, ids: readonly string[]) {
  const { labels, annotations, starts_at, holds_until, last_received_at } = alerts;
  const { generator_url, source_fingerprint, silenced_by } = alerts;
  return ctx.db
    .select({
      labels,
      annotations,
      starts_at,
      holds_until,
      last_received_at,
      generator_url,
      source_fingerprint,
      silenced_by,
    })
    .from(alerts)
    .where(and(eq(alerts.status, "firing"), oneOf(alerts.alert_id, ids)))
    .orderBy(desc(alerts.first_received_at), desc(alerts.alert_id));
}
