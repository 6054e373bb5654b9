import { and, asc, desc, eq, gt, notInArray, sql } from "drizzle-orm";
import type { PageQuery } from "../../contract/common.ts";
import type { Ctx } from "../../db/ctx.ts";
import { jsonRows } from "../../db/json-rows.ts";
import { LOCKS } from "../../db/lock.ts";
import { olderThan } from "../../db/page.ts";
import { heartbeats } from "../../db/schema.ts";
import type { Heartbeat } from "./types.ts";

export type Beat = Pick<Heartbeat, "heartbeat_id" | "name" | "source" | "expected" | "severity" | "interval">;

// Most learnt heartbeats, so that a sender of ever new names cannot fill the table; configured ones do not count.
const LEARNT = 1_000;
// A learnt heartbeat is missing only after 1.5 times its longest gap so far.
const PATIENCE = 1.5;

/** Where a heartbeat would be learnt, takes the advisory lock for that until the transaction ends: learnt ones are counted. */
async function lockUnknown(ctx: Ctx, beats: readonly Beat[]): Promise<void> {
  const learnt = beats.flatMap((beat) => (beat.expected ? [] : beat.heartbeat_id));
  if (learnt.length === 0) return;
  await ctx.db.execute(sql`
    select pg_advisory_xact_lock(${LOCKS.heartbeats}) from (
      select from unnest(${sql.param(learnt)}::text[]) as id
       where not exists (select from heartbeats where heartbeat_id = id) limit 1) as unknown`);
}

/**
 * Records that these heartbeats were heard now; new ones that are not configured are added while there is room. The gap before
 * counts towards `longest_gap`, unless the heartbeat was missing or AWOOOI was not listening (`since`: when it began to listen).
 */
export async function recordBeats(ctx: Ctx, beats: readonly Beat[], since: Date): Promise<void> {
  const now = sql`${ctx.clock.now().toISOString()}::timestamptz`;
  const gap = sql`case when h.state = 'alive' and h.last_heard_at >= ${since.toISOString()}::timestamptz
    then greatest(h.longest_gap, extract(epoch from ${now} - h.last_heard_at)) else h.longest_gap end`;
  await lockUnknown(ctx, beats);
  await ctx.db.execute(sql`
    insert into heartbeats as h
      (heartbeat_id, name, source, expected, severity, interval, watched_since, last_heard_at)
    select heartbeat_id, name, source, expected, severity, interval, ${now}, ${now}
      from (
        select b.*, k.known, row_number() over (partition by expected or known order by heartbeat_id) as place
          from json_to_recordset(${jsonRows(beats)}::json)
            as b(heartbeat_id text, name text, source text, expected boolean, severity text, interval real)
         cross join lateral (select heartbeat_id in (select heartbeat_id from heartbeats) as known) k) c
     where expected or known or place <= ${LEARNT} - (select count(*) from heartbeats where not expected)
     order by heartbeat_id
    on conflict (heartbeat_id) do update
       set last_heard_at = greatest(h.last_heard_at, ${now}), severity = excluded.severity,
           longest_gap = ${gap},
           interval = case when excluded.expected then excluded.interval
                           else greatest(excluded.interval, ${PATIENCE} * (${gap})) end`);
}

/** Starts watching heartbeats that are new, and updates the others to what is configured now. */
export async function watchHeartbeats(ctx: Ctx, beats: readonly Beat[]): Promise<void> {
  const now = sql`${ctx.clock.now().toISOString()}::timestamptz`;
  await ctx.db.execute(sql`
    insert into heartbeats as h (heartbeat_id, name, source, expected, severity, interval, watched_since)
    select heartbeat_id, name, source, expected, severity, interval, ${now}
      from json_to_recordset(${jsonRows(beats)}::json)
        as b(heartbeat_id text, name text, source text, expected boolean, severity text, interval real)
    on conflict (heartbeat_id) do update
       set interval = excluded.interval, severity = excluded.severity, source = excluded.source
     where (h.interval, h.severity, h.source) is distinct from (excluded.interval, excluded.severity, excluded.source)`);
}

const columns = {
  heartbeat_id: heartbeats.heartbeat_id,
  name: heartbeats.name,
  source: heartbeats.source,
  expected: heartbeats.expected,
  severity: heartbeats.severity,
  state: heartbeats.state,
  interval: heartbeats.interval,
  watched_since: heartbeats.watched_since,
  last_heard_at: heartbeats.last_heard_at,
  missing_since: heartbeats.missing_since,
};

/** Returns heartbeats that have been silent for too long and are not marked missing yet. `since`: when AWOOOI began to listen. */
export async function overdueHeartbeats(ctx: Ctx, since: Date): Promise<Heartbeat[]> {
  const now = ctx.clock.now().toISOString();
  const from = sql`greatest(${heartbeats.last_heard_at}, ${heartbeats.watched_since}, ${since.toISOString()}::timestamptz)`;
  return ctx.db
    .select(columns)
    .from(heartbeats)
    .where(
      and(
        eq(heartbeats.state, "alive"),
        sql`${from} + ${heartbeats.interval} * interval '1 second' <= ${now}::timestamptz`,
      ),
    )
    .orderBy(asc(heartbeats.heartbeat_id));
}

/** Returns heartbeats that were missing and have been heard since. */
export async function returnedHeartbeats(ctx: Ctx): Promise<Heartbeat[]> {
  return ctx.db
    .select(columns)
    .from(heartbeats)
    .where(and(eq(heartbeats.state, "missing"), gt(heartbeats.last_heard_at, heartbeats.missing_since)))
    .orderBy(asc(heartbeats.heartbeat_id));
}

/** Returns heartbeats that the configuration used to name and no longer does. */
export async function unexpectedHeartbeats(ctx: Ctx, expected: readonly string[]): Promise<Heartbeat[]> {
  return ctx.db
    .select(columns)
    .from(heartbeats)
    .where(and(eq(heartbeats.expected, true), notInArray(heartbeats.heartbeat_id, [...expected])));
}

/** Changes the state of a heartbeat if it is still as it was read; returns false when another process changed it first. */
export async function changeState(
  ctx: Ctx,
  seen: Pick<Heartbeat, "heartbeat_id" | "state" | "last_heard_at">,
  to: { state: "missing"; missing_since: Date } | { state: "alive"; missing_since: null },
): Promise<boolean> {
  const { rowCount } = await ctx.db
    .update(heartbeats)
    .set(to)
    .where(
      and(
        eq(heartbeats.heartbeat_id, seen.heartbeat_id),
        eq(heartbeats.state, seen.state),
        sql`${heartbeats.last_heard_at} is not distinct from ${seen.last_heard_at?.toISOString() ?? null}::timestamptz`,
      ),
    );
  return rowCount === 1;
}

export async function deleteHeartbeat(ctx: Ctx, heartbeat_id: string): Promise<Heartbeat | undefined> {
  const [row] = await ctx.db
    .delete(heartbeats)
    .where(eq(heartbeats.heartbeat_id, heartbeat_id))
    .returning(columns);
  return row;
}

/** Reads heartbeats, newest first, up to `limit` + 1: the extra one shows that there is a next page. */
export async function heartbeatPage(ctx: Ctx, { limit, cursor }: PageQuery): Promise<Heartbeat[]> {
  const { watched_since, heartbeat_id } = heartbeats;
  return ctx.db
    .select(columns)
    .from(heartbeats)
    .where(olderThan(cursor, watched_since, heartbeat_id))
    .orderBy(desc(watched_since), desc(heartbeat_id))
    .limit(limit + 1);
}

/** Changes the ids of heartbeats; one whose new id is taken keeps its old id. */
export async function renameBeats(ctx: Ctx, ids: ReadonlyMap<string, string>): Promise<void> {
  const rows = [...ids].map(([before, now]) => ({ before, now }));
  await ctx.db.execute(sql`
    update heartbeats h set heartbeat_id = r.now
      from (select distinct on (now) before, now from json_to_recordset(${jsonRows(rows)}::json) as n(before text, now text)
             where before in (select heartbeat_id from heartbeats)) r
     where h.heartbeat_id = r.before and not exists (select from heartbeats other where other.heartbeat_id = r.now)`);
}
