import { desc, eq, sql } from "drizzle-orm";
import type { Ctx } from "../../db/ctx.ts";
import { oneOf } from "../../db/one-of.ts";
import { alerts } from "../../db/schema.ts";
import type { Outage } from "../outage/decide.ts";

const isOpenCall = sql`status = 'firing' and instance_key is not null`;

/** Returns those of these alerts that have more than `most` open calls. */
export async function alertsWithMoreCalls(
  ctx: Ctx,
  identities: readonly string[],
  most: number,
): Promise<Set<string>> {
  const { rows } = await ctx.db.execute<{ identity: string }>(sql`
    select n.identity from unnest(${sql.param([...identities])}::text[]) as n(identity)
     where exists (select from alerts where identity = n.identity and ${isOpenCall} order by outage offset ${most} limit 1)`);
  return new Set(rows.map((row) => row.identity));
}

export type LastEnd = Pick<Outage, "ended_with" | "ended_by"> & { outage: number };

/** Returns how the alert's latest outage that is over ended. */
export async function lastEnd(ctx: Ctx, identity: string): Promise<LastEnd | undefined> {
  const { outage, ended_with, ended_by } = alerts;
  const [row] = await ctx.db
    .select({ outage: sql<number>`coalesce(${outage}, 0)`, ended_with, ended_by })
    .from(alerts)
    .where(sql`${eq(alerts.identity, identity)} and ${alerts.status} = 'resolved'`)
    .orderBy(desc(outage))
    .limit(1);
  return row;
}

/** Which open calls a notice ends; the same conditions as `endsOutage` in `outage/decide.ts`. */
export type EndedCalls = {
  identity: string;
  place: string;
  replayed: boolean;
  ends_at: Date;
  /** Only calls with a lower outage number; null: all. */
  before: number | null;
};

// Places are compared bytewise, whatever the database's collation.
const isEnded = ({ identity, place, replayed, ends_at, before }: EndedCalls) => sql`
  identity = ${identity} and ${isOpenCall} and (${before}::int is null or outage < ${before}::int)
    and coalesce(began_with, '') collate "C" <= ${place}
    and (${replayed}::boolean or coalesce(said_with, '') collate "C" <= ${place})
    and (starts_at < nullif(split_part(began_with, '/', 1), '')::timestamptz
         and starts_at > ${ends_at.toISOString()}::timestamptz) is not true`;

/** Returns the outage number of the newest call that a notice ends, without the `keep` newest; undefined: none is left. */
export async function newestEndedCallBut(
  ctx: Ctx,
  ended: EndedCalls,
  keep: number,
): Promise<number | undefined> {
  const { rows } = await ctx.db.execute<{ outage: number }>(
    sql`select outage from alerts where ${isEnded(ended)} order by outage desc offset ${keep} limit 1`,
  );
  return rows[0]?.outage;
}

type Page = { after: number; last: number; limit: number };
type Call = { alert_id: string; fingerprint: string; outage: number };

/** Returns the oldest calls that a notice ends, with outage numbers above `after` and up to `last`. */
export async function endedCalls(ctx: Ctx, ended: EndedCalls, { after, last, limit }: Page): Promise<Call[]> {
  const { rows } = await ctx.db.execute<Call>(sql`
    select alert_id, fingerprint, outage from alerts
     where ${isEnded(ended)} and outage > ${after} and outage <= ${last} order by outage limit ${limit}`);
  return rows;
}

type Ended = Pick<typeof alerts.$inferSelect, "incident_id" | "status">;

/** Ends those of these calls that are still open, recording the end as known so far. */
export async function endCalls(
  ctx: Ctx,
  ids: readonly string[],
  { ends_at, last }: { ends_at: Date; last: LastEnd | undefined },
): Promise<Ended[]> {
  const now = ctx.clock.now().toISOString();
  return ctx.db
    .update(alerts)
    .set({
      status: "resolved",
      ends_at,
      ended_with: last?.ended_with ?? null,
      ended_by: last?.ended_by ?? {},
      last_received_at: sql`greatest(${alerts.last_received_at}, ${now}::timestamptz)`,
    })
    .where(sql`${oneOf(alerts.alert_id, ids)} and ${alerts.status} = 'firing'`)
    .returning({ incident_id: alerts.incident_id, status: alerts.status });
}
