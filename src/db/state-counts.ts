import { type SQL, sql } from "drizzle-orm";
import type { Ctx } from "./ctx.ts";
import {
  alerts,
  approvals,
  audit_entries,
  decisions,
  deliveries,
  executions,
  heartbeats,
  incidents,
  outbox,
  processes,
  receipts,
} from "./schema.ts";

/** The number of items of a kind in a state, and since when the oldest is in it (Unix time in seconds). */
type StateCount = { kind: string; state: string; count: number; oldest: number | null };

export type StateCounts = {
  waiting: StateCount[];
  /** Unix time in seconds at which the newest receipt in the journal arrived; null if there is none. */
  last_received: number | null;
  /** `seq` of the newest audit entry, which is their number. */
  ledger: number;
};

type StateTable = { kind: string; states: readonly string[]; from: SQL; state: SQL; since: SQL; and?: SQL };

const workflows = sql`dbos.workflow_status w`;

/**
 * Every state in which no item may stay for ever, and the time from which its age counts. Each has a partial
 * index, so that counting costs in proportion to the waiting items and not to the whole table.
 */
export const STATE_TABLES: readonly StateTable[] = [
  {
    kind: "receipt",
    states: ["received", "dead"],
    from: sql`${receipts}`,
    state: sql`${receipts.state}`,
    since: sql`${receipts.received_at}`,
  },
  {
    kind: "alert",
    states: ["held"],
    from: sql`${alerts}`,
    state: sql`${alerts.status}`,
    since: sql`${alerts.first_received_at}`,
  },
  {
    kind: "incident",
    states: ["investigating", "mitigating"],
    from: sql`${incidents}`,
    state: sql`${incidents.status}`,
    since: sql`${incidents.created_at}`,
  },
  {
    kind: "decision",
    states: ["analyzing"],
    from: sql`${decisions}`,
    state: sql`${decisions.state}`,
    since: sql`${decisions.created_at}`,
  },
  {
    kind: "approval",
    states: ["preparing", "pending"],
    from: sql`${approvals}`,
    state: sql`${approvals.status}`,
    since: sql`${approvals.created_at}`,
  },
  {
    kind: "approval",
    states: ["approved"],
    from: sql`${approvals}`,
    state: sql`${approvals.status}`,
    since: sql`${approvals.decided_at}`,
    // An approval whose execution has begun stays `approved`: the execution has the changing state.
    and: sql`${approvals.begun_at} is null`,
  },
  {
    kind: "execution",
    states: ["pending", "running", "verifying"],
    from: sql`${executions}`,
    state: sql`${executions.status}`,
    since: sql`coalesce(${executions.started_at}, ${executions.created_at})`,
  },
  {
    kind: "notice",
    states: ["waiting"],
    from: sql`${outbox}`,
    state: sql`(case when ${outbox.routed_at} is null then 'waiting' end)`,
    since: sql`${outbox.created_at}`,
    and: sql`${outbox.routed_at} is null`,
  },
  {
    kind: "delivery",
    states: ["waiting"],
    from: sql`${deliveries} join ${outbox} on ${outbox.seq} = ${deliveries.outbox_seq}`,
    state: sql`${deliveries.state}`,
    since: sql`${outbox.created_at}`,
  },
  {
    kind: "heartbeat",
    states: ["missing"],
    from: sql`${heartbeats}`,
    state: sql`${heartbeats.state}`,
    since: sql`${heartbeats.missing_since}`,
  },
  {
    kind: "process",
    states: ["starting", "stopping", "down"],
    from: sql`${processes}`,
    state: sql`${processes.state}`,
    since: sql`${processes.since}`,
  },
  {
    kind: "workflow",
    states: ["ENQUEUED", "DELAYED", "PENDING", "ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"],
    from: workflows,
    state: sql`w.status`,
    since: sql`to_timestamp(w.created_at / 1000.0)`,
  },
];

function headcount({ kind, from, state, since, and }: StateTable, name: string): SQL {
  // Literals instead of parameters, so that the planner can use the partial index.
  const [ofKind, inState] = [sql.raw(`'${kind}'`), sql.raw(`'${name}'`)];
  return sql`
    select ${ofKind} as kind, ${inState} as state, count(*)::int as count,
           extract(epoch from min(${since}))::float8 as oldest
      from ${from} where ${state} = ${inState}${and === undefined ? sql`` : sql` and ${and}`}`;
}

/** Counts the items in each of these states, in one statement. */
export async function countStates(ctx: Ctx): Promise<StateCounts> {
  const counts = STATE_TABLES.flatMap((place) => place.states.map((state) => headcount(place, state)));
  const facts = sql`
    select 'ledger', '', coalesce(max(${audit_entries.seq}), 0)::int, null::float8 from ${audit_entries}
    union all
    select 'last_received', '', 0, extract(epoch from max(${receipts.received_at}))::float8 from ${receipts}`;
  const { rows } = await ctx.db.execute<StateCount>(sql.join([...counts, facts], sql` union all `));
  const fact = (kind: string) => rows.find((row) => row.kind === kind);
  return {
    waiting: rows.filter((row) => row.state !== ""),
    last_received: fact("last_received")?.oldest ?? null,
    ledger: fact("ledger")?.count ?? 0,
  };
}
