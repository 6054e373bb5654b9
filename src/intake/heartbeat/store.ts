import { and, asc, desc, eq, gt, notInArray, sql } from "drizzle-orm";
import type { PageQuery } from "../../contract/common.ts";
import type { Ctx } from "../../db/ctx.ts";
import { jsonRows } from "../../db/json-rows.ts";
import { LOCKS } from "../../db/lock.ts";
import { olderThan } from "../../db/page.ts";
import { heartbeats } from "../../db/schema.ts";
import type { Heartbeat } from "./types.ts";

export type Beat = Pick<Heartbeat, "heartbeat_id" | "name" | "source" | "expected" | "severity" | "interval">;

// Whoever sends heartbeats under ever new names must not fill the table. Those that are named do not count.
const LEARNT = 1_000;
// One that is late by half of what it was ever late before is not called missing.
const PATIENCE = 1.5;

/** Lets no one else learn a heartbeat until the transaction ends, where one of these is not known: they are counted. */
async function lockUnknown(ctx: Ctx, beats: readonly Beat[]): Promise<void> {
  const learnt = beats.flatMap((beat) => (beat.expected ? [] : beat.heartbeat_id));
  if (learnt.length === 0) return;
  await ctx.db.execute(sql`
    select pg_advisory_xact_lock(${LOCKS.heartbeats}) from (
      select from unnest(${sql.param(learnt)}::text[]) as id
       where not exists (select from heartbeats where heartbeat_id = id) limit 1) as unknown`);
}

/**
 * Writes down that these were heard now; of those that are not known and nobody has named no more than there is room for. The gap before counts as usual for one, unless it was missing, or
 * we were not there to hear it (`since`: when we began to listen).
 */
export async function hear(ctx: Ctx, beats: readonly Beat[], since: Date): Promise<void> {
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

/** Begins to wait for those that were never waited for; the others wait by what is configured now. */
export async function watchFor(ctx: Ctx, beats: readonly Beat[]): Promise<void> {
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

/** Those that are silent for too long and were not missed yet. `since`: when we began to listen. */
export async function silentHeartbeats(ctx: Ctx, since: Date): Promise<Heartbeat[]> {
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

/** Those that were missed and have been heard since. */
export async function heardAgain(ctx: Ctx): Promise<Heartbeat[]> {
  return ctx.db
    .select(columns)
    .from(heartbeats)
    .where(and(eq(heartbeats.state, "missing"), gt(heartbeats.last_heard_at, heartbeats.missing_since)))
    .orderBy(asc(heartbeats.heartbeat_id));
}

/** Those that the configuration named once and names no longer. */
export async function unexpected(ctx: Ctx, expected: readonly string[]): Promise<Heartbeat[]> {
  return ctx.db
    .select(columns)
    .from(heartbeats)
    .where(and(eq(heartbeats.expected, true), notInArray(heartbeats.heartbeat_id, [...expected])));
}

/** Changes its state if it is still as it was seen; false when another was faster. */
export async function turn(
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

/** One row more than `limit`, newest first: the extra one says that there is a next page. */
export async function heartbeatPage(ctx: Ctx, { limit, cursor }: PageQuery): Promise<Heartbeat[]> {
  const { watched_since, heartbeat_id } = heartbeats;
  return ctx.db
    .select(columns)
    .from(heartbeats)
    .where(olderThan(cursor, watched_since, heartbeat_id))
    .orderBy(desc(watched_since), desc(heartbeat_id))
    .limit(limit + 1);
}

/** Gives heartbeats other ids; one whose new id is taken stays as it is. */
export async function renameBeats(ctx: Ctx, ids: ReadonlyMap<string, string>): Promise<void> {
  const rows = [...ids].map(([before, now]) => ({ before, now }));
  await ctx.db.execute(sql`
    update heartbeats h set heartbeat_id = r.now
      from (select distinct on (now) before, now from json_to_recordset(${jsonRows(rows)}::json) as n(before text, now text)
             where before in (select heartbeat_id from heartbeats)) r
     where h.heartbeat_id = r.before and not exists (select from heartbeats other where other.heartbeat_id = r.now)`);
}
