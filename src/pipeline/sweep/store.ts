import { type SQL, sql } from "drizzle-orm";
import type { Ctx } from "../../db/ctx.ts";
import { addSeconds } from "../../lib/clock.ts";
import type { PipelineDeps } from "../types.ts";

/** An idle incident that is due, and why: no plan for it is open or being executed. */
export type Due = {
  incident_id: string;
  because:
    | "silent" // no alert was received for longer than an incident lives
    | "quiet" // none of its alerts fires any more
    | "released" // its main incident is over, and it still fires
    | "again"; // it still fires: people are asked again
};

/**
 * Returns a page of due active incidents without an open, signed or running plan, by id after `after`; with `only`, that
 * incident. Waiting time counts from the last event: decision, rejection, expiry, failed execution. An incident comes back
 * at once when its signed plan was not begun in time or the signatures lapsed (people have agreed already), when a freeze
 * that refused it ends, or when no decision exists because it was an effect. An effect is handled through its main
 * incident, and is idle for `release_after` after the end of that. An incident reopened by a person (resolved before,
 * `resolved_through` null) does not end for want of alerts.
 */
export async function dueIncidents(
  ctx: Ctx,
  windows: PipelineDeps["windows"] & { release_after: number; changes_allowed: boolean },
  which: { after: string; limit: number } | { only: string },
): Promise<Due[]> {
  const now = sql`${ctx.clock.now().toISOString()}::timestamptz`;
  const before = (seconds: number): SQL =>
    sql`${addSeconds(ctx.clock.now(), -seconds).toISOString()}::timestamptz`;
  const ids =
    "only" in which
      ? { chosen: sql`i.incident_id = ${which.only}`, limit: 1 }
      : { chosen: sql`i.incident_id > ${which.after}`, limit: which.limit };
  const { rows } = await ctx.db.execute<Due>(sql`
    with idle as (
      select i.incident_id, i.notification_type, i.last_seen, i.updated_at, i.flapping, d.outcome, d.rule, i.merged_into,
             m.status in ('investigating', 'mitigating') as main_active, m.resolved_at as main_over,
             d.created_at is not null as decided,
             i.resolution > 0 and i.resolved_through is null as by_hand,
             exists (select from alerts a where a.incident_id = i.incident_id and a.status = 'firing') as firing,
             coalesce(greatest(d.created_at, p.decided_at, p.ended_at), i.updated_at) as since,
             coalesce(p.lapsed, false) as lapsed, coalesce(p.frozen, false) as frozen
        from incidents i
        left join incidents m on m.incident_id = i.merged_into
        left join lateral (
          select policy->>'outcome' as outcome, policy->>'rule' as rule, created_at from decisions
           where incident_id = i.incident_id and state <> 'superseded'
           order by created_at desc, token desc limit 1) d on true
        left join lateral (
          select a.decided_at, e.ended_at,
                 (a.status = 'expired' and a.authority_until is not null)
                   or coalesce(e.error_code in ('authority_expired', 'signature_lapsed'), false) as lapsed,
                 e.error_code in ('frozen', 'freeze_window') as frozen
            from approvals a left join executions e using (approval_id)
           where a.incident_id = i.incident_id order by a.created_at desc, a.approval_id desc, e.step desc limit 1) p on true
       where i.status in ('investigating', 'mitigating') and ${ids.chosen}
         and not exists (select from approvals a where a.incident_id = i.incident_id
               and (a.status in ('preparing', 'pending') or (a.status = 'approved' and a.begun_at is null))
               and (a.status <> 'approved' or a.authority_until > ${now}))
         and not exists (select from executions e where e.incident_id = i.incident_id
               and e.status in ('pending', 'running', 'verifying'))),
    due as (
      select incident_id,
             case when greatest(last_seen, updated_at) <= ${before(windows.ttl)} then 'silent'
                  when not firing and not by_hand then case when updated_at <= ${before(windows.cool_down)} and not flapping then 'quiet' end
                  when merged_into is not null then case when main_active then null
                    when coalesce(main_over <= ${before(windows.release_after)}, true) then 'released' end
                  -- What only informs goes back to nobody.
                  when notification_type = 'TYPE-1' then null
                  when lapsed or not decided or (frozen and ${windows.changes_allowed}) then 'again'
                  when coalesce(outcome, 'ask') in ('ask', 'auto') and since <= ${before(windows.cool_down)} then 'again'
                  -- What was well when it was looked at, and fires all the same, is looked at again.
                  when (outcome = 'manual' or rule = 'no_action') and since <= ${before(windows.watch)} then 'again' end as because
        from idle)
    select incident_id, because from due where because is not null order by incident_id limit ${ids.limit}`);
  return rows;
}

/** Returns executions refused after an attempt, within the last day, that have no repair record yet: their incidents wait. */
export async function cutShort(
  ctx: Ctx,
  after: string,
  limit: number,
): Promise<{ incident_id: string; execution_id: string }[]> {
  const { rows } = await ctx.db.execute<{ incident_id: string; execution_id: string }>(sql`
    select incident_id, execution_id from executions e
     where status = 'refused' and attempts > 0 and execution_id > ${after}
       -- An undo is not learnt from, and what was learnt long ago may have been deleted since.
       and undoes is null and ended_at > ${addSeconds(ctx.clock.now(), -86_400).toISOString()}::timestamptz
       and not exists (select from repair_records r where r.execution_id = e.execution_id)
     order by execution_id limit ${limit}`);
  return rows;
}

/** A plan signed before `before` that should be executing: when it was signed, and its current turn. */
export type SignedWork = {
  incident_id: string;
  approval_id: string;
  decided_at: Date;
  turn: number;
  /** null: it has not begun. */
  execution_id: string | null;
};

export async function signedWork(
  ctx: Ctx,
  before: Date,
  after: string,
  limit: number,
): Promise<SignedWork[]> {
  const now = sql`${ctx.clock.now().toISOString()}::timestamptz`;
  const { rows } = await ctx.db.execute<Omit<SignedWork, "decided_at"> & { decided_at: string }>(sql`
    select incident_id, approval_id, decided_at, turn, execution_id from (
      select incident_id, approval_id, decided_at, 0 as turn, null as execution_id from approvals
       where status = 'approved' and begun_at is null and authority_until > ${now}
       union all
      select a.incident_id, e.approval_id, a.decided_at, e.turn, e.execution_id
        from executions e join approvals a using (approval_id)
       where e.status in ('pending', 'running', 'verifying') and e.deadline >= ${now}) work
     where decided_at <= ${before.toISOString()}::timestamptz and approval_id > ${after}
     order by approval_id limit ${limit}`);
  return rows.map((row) => ({ ...row, decided_at: new Date(row.decided_at) }));
}
