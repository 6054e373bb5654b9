import { verifyChain } from "../../src/audit/index.ts";
import type { TestDatabase } from "./database.ts";

// The longest that people are left alone with something that fires: a card that can be signed for an hour,
// signed in its last moment, and not carried out in the ten minutes that the signature is good for.
const LONGEST_SILENCE = 3_600 + 600 + 120;

/** Of an incident that is or was an effect people heard through its main one. */
const WAS_EFFECT = `exists (select from audit_entries w where w.subject = i.incident_id and w.action = 'incident.merged')`;

/** Of a step that others followed: it is no repair of its own, and people hear of the whole. */
const HAS_NEXT = `exists (select from executions n where n.approval_id = e.approval_id and n.step > e.step)`;

/**
 * What must hold at any moment after a sweep, each with what breaks it. `$1` is the time, `$2` the seconds
 * between two sweeps.
 */
const ALWAYS: Record<string, string> = {
  "nothing is in a state past its deadline and one sweep": `
    select * from (
      select 'approval ' || approval_id as what, status, prepare_until as deadline from approvals where status = 'preparing'
       union all select 'approval ' || approval_id, status, expires_at from approvals where status = 'pending'
       union all select 'approval ' || approval_id, status, authority_until from approvals where status = 'approved' and begun_at is null
       union all select 'execution ' || execution_id, status, deadline from executions where status in ('pending', 'running', 'verifying')
       union all select 'attempt of ' || e.execution_id, 'open', e.deadline from execution_attempts a join executions e using (execution_id) where a.outcome is null
       union all select 'decision ' || token, state, created_at + interval '90 s' from decisions where state = 'analyzing'
       union all select 'resolution of ' || incident_id, 'open', resolved_at + interval '60 s' from resolutions where disposition is null
       union all select 'incident ' || incident_id, status, resolved_at + interval '7 d' from incidents where status = 'resolved'
       union all select 'incident ' || incident_id, status, greatest(last_seen, updated_at) + interval '7 d' + interval '90 min'
                   from incidents where status in ('investigating', 'mitigating')
       union all select 'open approval of the ended ' || incident_id, a.status, i.resolved_at
                   from approvals a join incidents i using (incident_id)
                  where a.status in ('preparing', 'pending') and i.status in ('resolved', 'closed')) states
     where deadline + make_interval(secs => $2) < $1`,
  "people hear again and again of what fires": `
    select i.incident_id, i.status, d.policy, t.told from incidents i
      join lateral (select policy->>'outcome' as policy from decisions d
                     where d.incident_id = i.incident_id and state <> 'superseded' order by created_at desc, token desc limit 1) d on true
      join lateral (select max(created_at) as told from outbox o where o.incident_id = i.incident_id) t on true
     where i.status in ('investigating', 'mitigating') and d.policy in ('ask', 'auto', 'manual') and i.merged_into is null
       and exists (select from alerts a where a.incident_id = i.incident_id and a.status = 'firing')
       and t.told + make_interval(secs => ${LONGEST_SILENCE} + $2) < $1`,
  "an incident for which nothing fires ends or is with people": `
    select incident_id, status, updated_at from incidents i
     where status in ('investigating', 'mitigating') and not (resolution > 0 and resolved_through is null)
       and not exists (select from alerts a where a.incident_id = i.incident_id and a.status = 'firing')
       and not exists (select from executions e where e.incident_id = i.incident_id and e.status in ('pending', 'running', 'verifying'))
       and updated_at + interval '${LONGEST_SILENCE + 1_800} s' + make_interval(secs => $2) < $1`,
  "an effect is one of a main incident, and of none that has long been over while it fires": `
    select i.incident_id, i.merged_into, m.merged_into as theirs, m.status from incidents i
      left join incidents m on m.incident_id = i.merged_into
     where i.merged_into is not null and (m.incident_id is null or m.merged_into is not null
       or (i.status in ('investigating', 'mitigating') and m.status in ('resolved', 'closed')
           and exists (select from alerts a where a.incident_id = i.incident_id and a.status = 'firing')
           and m.resolved_at + interval '10 min' + make_interval(secs => $2) < $1))`,
  "an effect asks people nothing": `
    select i.incident_id from incidents i join approvals a using (incident_id)
     where i.merged_into is not null and a.status in ('preparing', 'pending')`,
  "what fires is decided about, by itself or through its main incident": `
    select i.incident_id from incidents i
     where i.status in ('investigating', 'mitigating') and i.merged_into is null and i.notification_type <> 'TYPE-1'
       and exists (select from alerts a where a.incident_id = i.incident_id and a.status = 'firing')
       and not exists (select from decisions d where d.incident_id = i.incident_id and d.state <> 'superseded')
       and i.updated_at + make_interval(secs => $2) < $1`,
  "an alert has one open outage at most": `
    select identity from alerts where status <> 'resolved' and instance_key is null group by 1 having count(*) > 1`,
  "what is held is an outage in its time": `
    select alert_id, held_until from alerts where status = 'held'
       and held_until + interval '15 min' + make_interval(secs => $2) < $1`,
  "every firing alert belongs to an incident": `
    select alert_id from alerts where incident_id is null and status = 'firing'`,
  "an incident has one open approval at most": `
    select incident_id from approvals where status in ('preparing', 'pending')
     group by 1 having count(*) > 1`,
  "trouble has one active incident at most": `
    select fingerprint from incidents where status in ('investigating', 'mitigating')
     group by 1 having count(*) > 1`,
};

/** What must hold at the end, of the whole history. */
const FINALLY: Record<string, string> = {
  "nothing was done without a quorum for that very plan": `
    select a.* from execution_attempts a join executions e using (execution_id) join approvals p using (approval_id)
     where (select count(distinct s.person_id) from signatures s
             where s.approval_id = p.approval_id and s.plan_hash = e.plan_hash and s.at <= a.started_at + interval '60 s')
           < (p.plan->>'required_signatures')::int or p.plan_hash <> e.plan_hash`,
  "nothing was done on lapsed authority": `
    select a.*, p.decided_at, p.authority_until from execution_attempts a join executions e using (execution_id) join approvals p using (approval_id)
     where a.started_at >= p.authority_until or a.started_at < p.decided_at - interval '60 s'`,
  "a step of an approval is carried out once": `
    select approval_id, step from executions group by 1, 2 having count(*) > 1
     union all select approval_id, step from executions e where step > 1 and not exists (select from executions before
       where before.approval_id = e.approval_id and before.step = e.step - 1 and before.status = 'success')`,
  "every execution that acted has one repair record, and no other has one": `
    select coalesce(e.execution_id, r.execution_id) as id, e.status, e.error_code, e.attempts from (
      select * from executions e where (attempts > 0 or (step > 1 and status = 'failed')) and undoes is null and not ${HAS_NEXT}) e
      full join repair_records r using (execution_id) where e.execution_id is null or r.execution_id is null`,
  "a repair counts as successful where its verification says so": `
    select r.* from repair_records r join executions e using (execution_id)
     where r.success <> (e.status = 'success') or r.success <> (r.verification = 'success')`,
  "every resolution has one disposition": `
    select incident_id from incidents i where resolution <>
      (select count(*) from resolutions r where r.incident_id = i.incident_id and disposition is not null)`,
  "what a repair of ours ended was approved by people or policy, and nothing else was": `
    select * from resolutions where (disposition <> 'manual_resolved') <> (through = 'repair') or (through = 'repair') <> (execution_id is not null)`,
  "people were told of everything that they must hear": `
    select 'opened ' || incident_id from incidents i
     where (select count(*) from outbox o where o.incident_id = i.incident_id and topic = 'incident.opened')
           <> case when ${WAS_EFFECT} then least(1, (select count(*) from outbox o
                where o.incident_id = i.incident_id and topic = 'incident.opened')) else 1 end
     union all select 'resolved ' || incident_id from incidents i
     where not ${WAS_EFFECT}
       and (select count(*) from outbox o where o.incident_id = i.incident_id and topic = 'incident.resolved') <> resolution
     union all select 'presented ' || approval_id from approvals p where expires_at is not null
       and (select count(*) from outbox o where topic = 'approval.pending' and payload->>'approval_id' = p.approval_id) <> 1
     union all select 'rejected or expired ' || approval_id from approvals p where status in ('rejected', 'expired')
       and not exists (select from outbox o where topic = 'approval.' || p.status and payload->>'approval_id' = p.approval_id)
     union all select 'result ' || execution_id from executions e
     where not ${HAS_NEXT} and (select count(*) from outbox o where topic = 'execution.finished' and payload->>'execution_id' = e.execution_id) <> 1`,
  "every receipt is understood": "select seq, state, error from receipts where state <> 'processed'",
  "everything has come to its end": `
    select 'incident ' || incident_id as what, status from incidents where status <> 'closed'
     union all select 'approval ' || approval_id, status from approvals where status in ('preparing', 'pending') or (status = 'approved' and begun_at is null)
     union all select 'execution ' || execution_id, status from executions where status in ('pending', 'running', 'verifying')
     union all select 'attempt of ' || execution_id, 'open' from execution_attempts where outcome is null
     union all select 'work ' || workflow_uuid, status from dbos.workflow_status where status in ('ENQUEUED', 'DELAYED', 'PENDING')`,
  "an incident that is more than information has one decision that is not superseded": `
    select i.incident_id from incidents i left join decisions d on d.incident_id = i.incident_id and d.state <> 'superseded'
     where i.notification_type <> 'TYPE-1'
     group by 1 having count(d.token) > 1 or (count(d.token) = 0 and not ${WAS_EFFECT})`,
};

async function holds(
  database: TestDatabase,
  invariants: Record<string, string>,
  values: unknown[],
): Promise<void> {
  // One statement for all: they are asked thousands of times.
  const all = Object.entries(invariants).map(
    ([name, text]) => `select '${name}' as name, to_jsonb(broken) as what from (${text}) broken`,
  );
  const { rows } = await database.pool.query<{ name: string }>(all.join(" union all "), values);
  const [first] = rows;
  if (first === undefined) return;
  const broken = rows.filter((row) => row.name === first.name).slice(0, 5);
  throw new Error(`${first.name}: ${JSON.stringify(broken)}`);
}

/** Throws with the name of what does not hold now. `sweepEvery` in seconds. */
export function holdsAlways(database: TestDatabase, now: Date, sweepEvery: number): Promise<void> {
  return holds(database, ALWAYS, [now.toISOString(), sweepEvery]);
}

/** Throws with the name of what does not hold of the whole history. */
export async function holdsFinally(database: TestDatabase): Promise<void> {
  await holds(database, FINALLY, []);
  const { broken_at, reason } = await verifyChain(database.ctx());
  if (broken_at !== null) throw new Error(`the ledger is whole: entry ${broken_at}, ${reason}`);
}

/** When, after `now`, something is due next; null when nothing is. */
export async function nextDeadline(database: TestDatabase, now: Date): Promise<Date | null> {
  const { rows } = await database.pool.query<{ at: Date | null }>(
    `with active as (select * from incidents where status in ('investigating', 'mitigating')),
     done as (
       select updated_at as at from active
        union all select d.created_at from active join decisions d using (incident_id) where d.state <> 'superseded'
        union all select p.decided_at from active join approvals p using (incident_id) where p.decided_at > $1::timestamptz - interval '2 h'
        union all select e.ended_at from active join executions e using (incident_id) where e.ended_at > $1::timestamptz - interval '2 h')
     select min(at) as at from (
       select prepare_until as at from approvals where status = 'preparing'
        union all select expires_at from approvals where status = 'pending'
        union all select authority_until from approvals where status = 'approved' and begun_at is null
        union all select decided_at + interval '60 s' from approvals where status = 'approved' and begun_at is null
        union all select deadline + interval '1 ms' from executions where status in ('pending', 'running', 'verifying')
        union all select resolved_at + interval '60 s' from resolutions where disposition is null
        union all select resolved_at + interval '7 d' from incidents where status = 'resolved'
        union all select m.resolved_at + interval '10 min' from active a join incidents m on m.incident_id = a.merged_into
        union all select greatest(last_seen, updated_at) + interval '7 d' from active
        union all select updated_at + interval '10 min' from active where flapping
        union all select held_until + interval '5 s' from alerts where status = 'held'
        union all select at + interval '30 min' from done
        union all select at + interval '1 h' from done) deadlines
     where at > $1`,
    [now.toISOString()],
  );
  return rows[0]?.at ?? null;
}
