import { drizzle } from "drizzle-orm/node-postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Asked, approved, asked, presented } from "../../../test/support/approved.ts";
import { createDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { startIdleEngine } from "../../../test/support/idle-engine.ts";
import {
  makePerson,
  type Person,
  type SetClock,
  setClock,
  testPipelineDeps,
} from "../../../test/support/pipeline-deps.ts";
import type { Db } from "../../db/client.ts";
import type { Ctx } from "../../db/ctx.ts";
import * as schema from "../../db/schema.ts";
import { transaction } from "../../db/transaction.ts";
import { beginExecution } from "../../execution/index.ts";
import { enqueue, notify } from "../../outbox/index.ts";
import { type Counts, countPrunable, prune, type RetentionTerms } from "./retention.ts";

const DAY = 86_400;
const TERMS: RetentionTerms = {
  receipts: 7 * DAY,
  dead_letters: 30 * DAY,
  alerts: 90 * DAY,
  silences: 90 * 86_400,
  notices: 30 * DAY,
  repairs: 90 * DAY,
  repairs_per_key: 3,
  workflows: 7 * DAY,
  incidents: 200 * DAY,
  batch: 5_000,
};

let database: TestDatabase;
let endEngine = async () => {};
let clock: SetClock;
let ada: Person;

const sql = async (text: string, ...values: unknown[]) => (await database.pool.query(text, values)).rows;
const ids = async (text: string) => (await sql(text)).map((row) => Object.values(row)[0]).sort();
const ctxOf = (): Ctx => database.ctx({ kind: "system", name: "retention" }, clock);
const ago = (days: number) => new Date(clock.now().getTime() - days * DAY * 1000);

/** Runs to the end; returns what was deleted. `next` may end it early. */
async function run(
  ctx: Ctx = ctxOf(),
  terms: Partial<RetentionTerms> = {},
  next: () => Promise<boolean> = async () => true,
): Promise<Counts> {
  const total: Counts = {};
  const deleted = (counts: Counts) => {
    for (const [what, rows] of Object.entries(counts)) total[what] = (total[what] ?? 0) + rows;
  };
  await prune(ctx, { ...TERMS, ...terms }, { next, deleted });
  return total;
}

const receipts = (state: string, days: number, count = 1) =>
  sql(
    `insert into receipts (source, sender, body, received_at, state)
     select 'test', $1 || ' ' || $2, '\\x00', $3, $1 from generate_series(1, $4::int)`,
    state,
    String(days),
    ago(days),
    count,
  );

async function alert(name: string, incident_id: string | null, status: string, days: number): Promise<void> {
  await sql(
    `insert into alerts (alert_id, instance_key, source, source_fingerprint, fingerprint, incident_id, status,
       alert_name, alert_type, alert_category, notification_type, cluster, namespace, target_resource, message,
       labels, annotations, starts_at, first_received_at, last_received_at)
     values ($1, $1, 'test', '', '', $2, $3, 'WebDown', 'custom', 'general', 'TYPE-3', '', 'default', 'web', '',
       '{}', '{}', $4, $4, $4)`,
    name,
    incident_id,
    status,
    ago(days),
  );
}

const repair = (execution_id: string, action: string, days: number) =>
  sql(
    `insert into repair_records (execution_id, incident_id, anomaly_key, action, success, verification, fix,
       duration_ms, at) values ($1, 'INC-1', 'key', $2, true, 'success', '', 1, $3)`,
    execution_id,
    action,
    ago(days),
  );

/** Makes it end `days` ago, with all that was open of it. */
async function ended({ incident_id }: Asked, days: number): Promise<string> {
  await sql("update approvals set status = 'rejected' where incident_id = $1", incident_id);
  await sql("update executions set status = 'failed' where incident_id = $1", incident_id);
  await sql(
    "update incidents set status = 'resolved', resolved_at = $2, updated_at = $2, last_seen = $2 where incident_id = $1",
    incident_id,
    ago(days),
  );
  return incident_id;
}

async function workflow(id: string, status: string, days: number): Promise<void> {
  const pipeline = database.ctx({ kind: "system", name: "pipeline" }, clock);
  await transaction(pipeline, (tx) =>
    enqueue(tx, { kind: "prepare", incident_id: "INC-1", approval_id: id }),
  );
  await sql(
    "update dbos.workflow_status set status = $2, created_at = $3 where workflow_uuid = $1",
    `prepare:${id}`,
    status,
    ago(days).getTime(),
  );
  await sql(
    "insert into dbos.operation_outputs (workflow_uuid, function_id, output) values ($1, 0, 'x')",
    `prepare:${id}`,
  );
}

describe("retention", () => {
  beforeAll(async () => {
    database = await createDatabase();
    // Without its queue: what is enqueued here is not to run.
    endEngine = await startIdleEngine(database);
    ada = await makePerson(database.ctx(), "ada", "approver");
  });
  afterAll(async () => {
    await endEngine();
    await database.drop();
  });
  beforeEach(async () => {
    clock = setClock();
    await sql(`truncate receipts, alerts, alert_log, incidents, timeline, decisions, approvals, signatures, executions,
      execution_attempts, resolutions, repair_records, outbox, deliveries,
      dbos.workflow_status, dbos.workflow_input, dbos.operation_outputs cascade`);
  });

  it("deletes receipts that are understood, dead letters later, and none that waits", async () => {
    for (const days of [1, 8, 31]) {
      for (const state of ["received", "processed", "dead"]) await receipts(state, days);
    }
    const would = await countPrunable(ctxOf(), TERMS);
    expect(await run()).toEqual({ receipts: 2, dead_letters: 1 });
    expect(would).toEqual({ receipts: 2, dead_letters: 1 });
    const left = await ids("select sender from receipts");
    expect(left).toEqual(["dead 1", "dead 8", "processed 1", "received 1", "received 31", "received 8"]);
  });

  it("deletes alerts that nothing was heard of, but not one that fires in an active incident", async () => {
    const active = (await asked(database, clock)).incident_id;
    const over = await ended(await asked(database, clock), 100);
    await alert("fires in an active one", active, "firing", 91);
    await alert("ended in an active one", active, "resolved", 91);
    await alert("fires in an ended one", over, "firing", 91);
    await alert("fires nowhere", null, "firing", 91);
    await alert("is recent", over, "resolved", 89);
    expect(await run()).toEqual({ alerts: 3 });
    expect(await ids("select alert_id from alerts")).toEqual(["fires in an active one", "is recent"]);
  });

  it("deletes from the operation log what was accepted with the alerts, and with the calls what was known", async () => {
    for (const [outcome, days] of [
      ["opened", 6],
      ["opened", 89],
      ["opened", 91],
      ["known", 6],
      ["known", 8],
    ] as const)
      await sql(
        `insert into alert_log (at, receipt, alert_id, outcome, alert_name, labels)
         values ($1, 1, $2, $3, 'WebDown', '{}')`,
        ago(days),
        `${outcome} ${days}`,
        outcome,
      );
    expect(await countPrunable(ctxOf(), TERMS)).toEqual({ alert_log: 1, known_alerts: 1 });
    expect(await run()).toEqual({ alert_log: 1, known_alerts: 1 });
    expect(await ids("select alert_id from alert_log")).toEqual(["known 6", "opened 6", "opened 89"]);
  });

  it("deletes notices that are on no way any more, with their deliveries", async () => {
    const say = async (days: number, routed: boolean, ...states: string[]) => {
      await transaction(database.ctx(undefined, { now: () => ago(days) }), (tx) =>
        notify(tx, { topic: "incident.opened", incident_id: "INC-1", payload: { days, routed, states } }),
      );
      const [{ seq }] = await sql("select max(seq) seq from outbox");
      if (routed) await sql("update outbox set routed_at = now() where seq = $1", seq);
      for (const state of states)
        await sql("insert into deliveries values ($1, $2, $2, 0, now())", seq, state);
    };
    await say(31, true, "delivered", "failed");
    await say(31, true);
    await say(31, true, "delivered", "waiting");
    await say(31, false);
    await say(29, true, "delivered");
    expect(await run()).toEqual({ notices: 2 });
    expect(await sql("select count(*)::int n from outbox")).toEqual([{ n: 3 }]);
    expect(await ids("select state from deliveries")).toEqual(["delivered", "delivered", "waiting"]);
  });

  it("keeps the latest repairs of each action on an anomaly, for their time", async () => {
    for (const days of [1, 2, 3, 4, 5]) await repair(`restart ${days}`, "restart", days);
    for (const days of [6, 91]) await repair(`scale ${days}`, "scale", days);
    const counted = await countPrunable(ctxOf(), TERMS);
    expect(await run()).toEqual({ repairs: 1, surplus_repairs: 2 });
    expect(counted).toEqual({ repairs: 1, surplus_repairs: 2 });
    const left = ["restart 1", "restart 2", "restart 3", "scale 6"];
    expect(await ids("select execution_id from repair_records")).toEqual(left);
  });

  it("deletes ended workflows with their steps, and none that waits or runs", async () => {
    const states = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED", "PENDING", "ENQUEUED"];
    for (const state of states) await workflow(`old-${state}`, state, 8);
    await workflow("new", "SUCCESS", 6);
    expect(await countPrunable(ctxOf(), TERMS)).toEqual({ workflows: 4 });
    expect(await run()).toEqual({ workflows: 4 });
    const left = ["prepare:new", "prepare:old-ENQUEUED", "prepare:old-PENDING"];
    for (const table of ["workflow_status", "workflow_input", "operation_outputs"])
      expect(await ids(`select workflow_uuid from dbos.${table}`)).toEqual(left);
  });

  it("deletes an incident whole, and only when nothing of it is open or under way", async () => {
    const gone = await approved([ada], database, clock);
    const pipeline = database.ctx({ kind: "system", name: "pipeline" }, clock);
    await beginExecution(pipeline, gone.approval_id, testPipelineDeps(database, clock).run);
    await sql(
      "insert into execution_attempts (execution_id, attempt, started_at) select execution_id, 1, now() from executions",
    );
    await sql(
      "insert into resolutions (incident_id, resolution, anomaly_key, through, disposition, resolved_by, resolved_at) values ($1, 1, 'key', 'repair', 'human_approved', 'ada', now())",
      gone.incident_id,
    );
    await ended(gone, 201);
    const open = await presented(database, clock);
    await ended(open, 201);
    await sql("update approvals set status = 'pending' where approval_id = $1", open.approval_id);
    const acting = await approved([ada], database, clock);
    await beginExecution(pipeline, acting.approval_id, testPipelineDeps(database, clock).run);
    await ended(acting, 201);
    await sql("update executions set status = 'verifying' where approval_id = $1", acting.approval_id);
    const heard = await ended(await asked(database, clock), 201);
    await alert("still heard", heard, "firing", 1);
    const young = await ended(await asked(database, clock), 199);
    const active = (await asked(database, clock)).incident_id;
    await sql(
      "update incidents set resolved_at = $2, updated_at = $2, last_seen = $2 where incident_id = $1",
      active,
      ago(201),
    );

    expect(await countPrunable(ctxOf(), TERMS)).toMatchObject({ incidents: 1 });
    expect(await run()).toMatchObject({
      incidents: 1,
      executions: 1,
      execution_attempts: 1,
      approvals: 1,
      signatures: 1,
      decisions: 1,
      resolutions: 1,
    });
    const kept = [open.incident_id, acting.incident_id, heard, young, active].sort();
    expect(await ids("select incident_id from incidents")).toEqual(kept);
    for (const table of ["timeline", "decisions", "approvals", "executions", "resolutions"])
      expect(await ids(`select 1 from ${table} where incident_id = '${gone.incident_id}'`)).toEqual([]);
  });

  it("keeps incidents for ever unless told otherwise", async () => {
    await ended(await asked(database, clock), 5_000);
    expect(await run(ctxOf(), { incidents: null })).toEqual({});
  });

  it("knows every table whose rows belong to an incident", async () => {
    const rows = await sql(`select distinct conrelid::regclass::text as name from pg_constraint
      where contype = 'f' and confrelid in ('incidents'::regclass, 'approvals'::regclass, 'executions'::regclass)
      order by 1`);
    // A table that is missing here makes the deletion of its incidents fail: see `dependants`.
    expect(rows.map((row) => row.name)).toEqual([
      "approvals",
      "decisions",
      "execution_attempts",
      "executions",
      "incident_links",
      "investigations",
      "resolutions",
      "signatures",
      "timeline",
    ]);
  });

  it("may end anywhere and leaves a whole state; the next run does the rest", async () => {
    await receipts("processed", 8, 500);
    for (let count = 0; count < 3; count += 1) await ended(await presented(database, clock), 201);
    let transactions = 0;
    const cut = run(ctxOf(), { batch: 100 }, async () => {
      transactions += 1;
      if (transactions === 2) throw new Error("killed");
      return true;
    });
    await expect(cut).rejects.toThrow("killed");
    expect(await sql("select count(*)::int n from receipts")).toEqual([{ n: 300 }]);
    let first = true;
    await run(ctxOf(), { batch: 1 }, async () => {
      const [left] = await sql("select count(*)::int n from incidents");
      // Ends between the first and the second incident.
      if (left?.n === 2 && first) first = false;
      else return true;
      return false;
    });
    expect(await sql("select count(*)::int n from receipts")).toEqual([{ n: 0 }]);
    for (const table of ["incidents", "decisions", "approvals"])
      expect(await sql(`select count(*)::int n from ${table}`)).toEqual([{ n: 2 }]);
    expect(await run()).toMatchObject({ incidents: 2 });
  });

  it("runs twice at once, beside those who write, without harm", async () => {
    await receipts("processed", 8, 2_000);
    for (let count = 0; count < 200; count += 1) await alert(`old ${count}`, null, "firing", 91);
    const writing = (async () => {
      for (let count = 0; count < 200; count += 1) {
        // As a delivery of an instance that is known, in the middle of a run.
        await sql("update alerts set last_received_at = $2 where alert_id = $1", `old ${count}`, clock.now());
        await receipts("received", 8);
      }
    })();
    const runs = await Promise.all([run(ctxOf(), { batch: 50 }), run(ctxOf(), { batch: 50 })]);
    await writing;
    const total = (what: string) => runs.reduce((sum, one) => sum + (one[what] ?? 0), 0);
    expect(total("receipts")).toBe(2_000);
    expect(await sql("select count(*)::int n from receipts")).toEqual([{ n: 200 }]);
    const [left] = await sql("select count(*)::int n, min(last_received_at) at from alerts");
    expect(total("alerts") + left?.n).toBe(200);
    if (left?.n > 0) expect(left?.at).toEqual(clock.now());
  });

  it("passes over what somebody else has locked, instead of waiting for it", async () => {
    const incident_id = await ended(await asked(database, clock), 201);
    await receipts("processed", 8, 2);
    const other = await database.pool.connect();
    try {
      await other.query("begin");
      await other.query("select from incidents where incident_id = $1 for update", [incident_id]);
      await other.query("select from receipts order by seq limit 1 for update");
      expect(await run()).toEqual({ receipts: 1 });
    } finally {
      await other.query("rollback");
      other.release();
    }
    expect(await run()).toMatchObject({ receipts: 1, incidents: 1 });
  });

  it("finds all of it by an index", async () => {
    const queries: { text: string; values: unknown[] }[] = [];
    const db = drizzle(database.pool, {
      schema,
      logger: { logQuery: (text, values) => void queries.push({ text, values }) },
    }) as unknown as Db;
    const gone = await approved([ada], database, clock);
    await ended(gone, 201);
    await run({ ...ctxOf(), db });
    const client = await database.pool.connect();
    try {
      await client.query("set enable_seqscan = off");
      const used = queries.filter(({ text }) => /^(select|delete)/.test(text) && !/advisory/.test(text));
      expect(used.length).toBeGreaterThan(12);
      for (const { text, values } of used) {
        const { rows } = await client.query(`explain ${text}`, values);
        const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
        expect(plan, text).not.toContain("Seq Scan");
      }
    } finally {
      client.release(true);
    }
  });

  it("is not for people to call, nor for other parts of the system", async () => {
    for (const actor of [ada, { kind: "system", name: "sweep" } as const])
      await expect(run(database.ctx(actor, clock))).rejects.toThrow(/may not/);
  });
});
