import { randomUUID } from "node:crypto";
import { DBOS } from "@dbos-inc/dbos-sdk";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Asked, approved, asked, presented } from "../../test/support/approved.ts";
import { createDatabase, type TestDatabase } from "../../test/support/database.ts";
import {
  makePerson,
  type Person,
  type SetClock,
  setClock,
  TERMS,
  testJourney,
} from "../../test/support/journey.ts";
import { until } from "../../test/support/until.ts";
import { createPool } from "../db/client.ts";
import { transaction } from "../db/transaction.ts";
import { beginExecution } from "../execution/index.ts";
import { updateExecution } from "../execution/store.ts";
import { silentLog } from "../lib/log.ts";
import { enqueue } from "../outbox/index.ts";
import { sweep } from "./sweep.ts";
import type { Journey } from "./types.ts";
import { startWorkflows, stopWorkflows } from "./workflows.ts";

let database: TestDatabase;
let clock: SetClock;
let journey: Journey;
let ada: Person;

const COOL_DOWN = 1_800;
const sql = async (text: string, ...values: unknown[]) => (await database.pool.query(text, values)).rows;
const approvalsOf = (incident_id: string) =>
  sql("select * from approvals where incident_id = $1 order by created_at, approval_id", incident_id);
const incidentOf = async (incident_id: string) =>
  (await sql("select * from incidents where incident_id = $1", incident_id))[0];
const executionOf = async (execution_id: string) =>
  (await sql("select * from executions where execution_id = $1", execution_id))[0];

async function fire(incident_id: string, status = "firing"): Promise<void> {
  await sql(
    `insert into alerts (alert_id, instance_key, source, source_fingerprint, fingerprint, incident_id, status,
       alert_name, alert_type, alert_category, notification_type, cluster, namespace, target_resource, message,
       labels, annotations, starts_at, first_received_at, last_received_at)
     select $1, $1, 'test', '', fingerprint, incident_id, $3, 'WebDown', 'custom', 'general', 'TYPE-3', '',
       'default', 'web', '', '{}', '{}', created_at, created_at, created_at
       from incidents where incident_id = $2`,
    randomUUID(),
    incident_id,
    status,
  );
}
async function begun({ approval_id }: Asked, status: "pending" | "running" | "verifying"): Promise<string> {
  const ctx = journey.as("pipeline");
  const { execution_id } = await beginExecution(ctx, approval_id, journey.run);
  const acted = status === "pending" ? {} : { attempts: 1, started_at: clock.now() };
  await updateExecution(ctx, execution_id, { status, ...acted });
  return execution_id;
}
/** Everything that a sweep could change. */
async function everything(): Promise<unknown> {
  const tables = ["incidents", "approvals", "decisions", "executions", "timeline", "outbox", "audit_entries"];
  return Promise.all(
    [...tables, "repair_records", "dbos.workflow_status"].map((table) =>
      sql(`select * from ${table} t order by t::text`),
    ),
  );
}

describe("the sweep", () => {
  beforeAll(async () => {
    database = await createDatabase();
    // Launched without its queue: what is enqueued is left to the sweep, as if nothing ever took it up.
    DBOS.setConfig({
      name: "awoooi",
      systemDatabasePool: database.pool,
      applicationVersion: "1",
      logLevel: "error",
    });
    await DBOS.launch();
    ada = await makePerson(database.ctx(), "ada", "approver");
  });
  afterAll(async () => {
    await DBOS.shutdown({ deregister: true });
    await database.drop();
  });
  beforeEach(() => {
    clock = setClock();
    journey = testJourney(database, clock);
  });
  afterEach(async () => {
    const tables = [
      "alerts",
      "outbox",
      "signatures",
      "repair_records",
      "executions",
      "approvals",
      "decisions",
    ];
    for (const table of [...tables, "timeline", "incidents", "dbos.workflow_status"])
      await sql(`delete from ${table}`);
  });

  it("leaves alone whatever is in time", async () => {
    const prepared = await asked(database, clock);
    const pending = await presented(database, clock);
    const signed = await approved([ada], database, clock);
    const quiet = await presented(database, clock);
    for (const one of [prepared, pending, signed]) await fire(one.incident_id);
    await fire(quiet.incident_id, "resolved");
    for (const status of ["pending", "running", "verifying"] as const) {
      await begun(await approved([ada], database, clock), status);
    }
    clock.forward(29);
    const before = await everything();
    await sweep(journey);
    await sweep(journey);
    expect(await everything()).toEqual(before);
  });

  it("presents what has been prepared for too long, with what there is", async () => {
    const { approval_id, incident_id } = await asked(database, clock);
    await fire(incident_id);
    clock.forward(TERMS.prepare);
    await sweep(journey);
    await sweep(journey);
    const [approval] = await approvalsOf(incident_id);
    expect(approval).toMatchObject({ approval_id, status: "pending" });
    expect(approval.dry_run_checks).toMatchObject([{ name: "dry-run", passed: false }]);
    expect(await sql("select state from decisions")).toEqual([{ state: "ready" }]);
    expect(await sql("select topic from outbox")).toEqual([{ topic: "approval.pending" }]);
  });

  it("supersedes what was still prepared when its incident ended", async () => {
    const { incident_id } = await asked(database, clock);
    await sql("update incidents set status = 'resolved' where incident_id = $1", incident_id);
    clock.forward(TERMS.prepare);
    await sweep(journey);
    expect(await approvalsOf(incident_id)).toMatchObject([{ status: "superseded" }]);
  });

  it("expires what nobody signed in time", async () => {
    const { incident_id } = await presented(database, clock);
    await fire(incident_id);
    clock.forward(TERMS.expires_after - 1);
    await sweep(journey);
    expect(await approvalsOf(incident_id)).toMatchObject([{ status: "pending" }]);
    clock.forward(1);
    await sweep(journey);
    expect((await approvalsOf(incident_id))[0]).toMatchObject({ status: "expired" });
    expect(await sql("select topic from outbox where topic like '%.expired'")).toHaveLength(1);
  });

  it("expires what was signed and never begun, and not what was begun", async () => {
    const never = await approved([ada], database, clock);
    const going = await approved([ada], database, clock);
    const execution_id = await begun(going, "running");
    for (const one of [never, going]) await fire(one.incident_id);
    clock.forward(TERMS.authority);
    await sweep(journey);
    expect((await approvalsOf(never.incident_id))[0]).toMatchObject({ status: "expired" });
    expect(await approvalsOf(going.incident_id)).toMatchObject([{ status: "approved" }]);
    expect(await executionOf(execution_id)).toMatchObject({ status: "running" });
  });

  it.each(["pending", "running", "verifying"] as const)(
    "ends an execution that is %s past its deadline, and gives its incident back to people",
    async (status) => {
      const plan = await approved([ada], database, clock);
      await fire(plan.incident_id);
      await sql("update incidents set status = 'mitigating' where incident_id = $1", plan.incident_id);
      const execution_id = await begun(plan, status);
      clock.forward(journey.run.deadline);
      await sweep(journey);
      expect(await executionOf(execution_id)).toMatchObject({ status });
      clock.forward(1);
      await sweep(journey);
      await sweep(journey);
      expect(await executionOf(execution_id)).toMatchObject({
        status: "failed",
        error: "it did not end in its time",
        ended_at: clock.now(),
      });
      expect(await incidentOf(plan.incident_id)).toMatchObject({ status: "investigating" });
      const learnt = status === "pending" ? [] : [{ success: false, verification: "inconclusive" }];
      expect(await sql("select success, verification from repair_records")).toEqual(learnt);
      expect(await sql("select 1 from outbox where topic = 'execution.finished'")).toHaveLength(1);
    },
  );

  it("resolves an incident that nothing fires for and nothing is done about, after the cool-down", async () => {
    const { incident_id, approval_id } = await presented(database, clock);
    await fire(incident_id, "resolved");
    await sql("update approvals set status = 'rejected' where approval_id = $1", approval_id);
    clock.forward(COOL_DOWN - 1);
    await sweep(journey);
    expect(await incidentOf(incident_id)).toMatchObject({ status: "investigating" });
    clock.forward(1);
    await sweep(journey);
    expect(await incidentOf(incident_id)).toMatchObject({ status: "resolved", resolved_through: "notice" });
    const work = await sql("select workflow_uuid id from dbos.workflow_status where name = 'conclude'");
    expect(work).toEqual([{ id: `conclude:${incident_id}:1` }]);
  });

  it("does not resolve an incident whose plan is before people or being carried out", async () => {
    const pending = await presented(database, clock);
    const acting = await approved([ada], database, clock);
    await begun(acting, "running");
    await sql("update approvals set expires_at = expires_at + interval '1 day'");
    await sql("update executions set deadline = deadline + interval '1 day'");
    clock.forward(COOL_DOWN + 1);
    await sweep(journey);
    for (const { incident_id } of [pending, acting]) {
      expect(await incidentOf(incident_id)).toMatchObject({ status: "investigating" });
    }
  });

  it("puts what goes on firing before people again after the cool-down, and not before", async () => {
    const { incident_id, approval_id } = await presented(database, clock);
    await fire(incident_id);
    await sql("update approvals set status = 'rejected' where approval_id = $1", approval_id);
    clock.forward(COOL_DOWN - 1);
    await sweep(journey);
    expect(await approvalsOf(incident_id)).toHaveLength(1);
    clock.forward(1);
    await sweep(journey);
    await sweep(journey);
    expect(await approvalsOf(incident_id)).toMatchObject([{ status: "rejected" }, { status: "preparing" }]);
    expect(await incidentOf(incident_id)).toMatchObject({ status: "investigating" });
    expect(await sql("select state from decisions order by created_at")).toEqual([
      { state: "superseded" },
      { state: "analyzing" },
    ]);
  });

  it("tells people again of what only they can repair, after an hour, and not of what only informs", async () => {
    const { incident_id, approval_id } = await presented(database, clock);
    await fire(incident_id);
    await sql("update approvals set status = 'rejected' where approval_id = $1", approval_id);
    const policy = (outcome: string) =>
      sql(`update decisions set policy = jsonb_set(policy, '{outcome}', '"${outcome}"')`);
    journey = { ...journey, decide: { ...journey.decide, executable: () => false } };
    const reminders = async () =>
      (await sql("select 1 from outbox where topic = 'incident.reminder'")).length;
    await policy("none");
    clock.forward(24 * 3600);
    await sweep(journey);
    expect(await reminders()).toBe(0);
    await policy("manual");
    await sweep(journey);
    await sweep(journey);
    expect(await reminders()).toBe(1);
  });

  it("leaves information alone while it fires, and ends it when it is quiet", async () => {
    const { incident_id, approval_id } = await presented(database, clock);
    await fire(incident_id);
    await sql("update approvals set status = 'rejected' where approval_id = $1", approval_id);
    await sql("update incidents set notification_type = 'TYPE-1' where incident_id = $1", incident_id);
    await sql("delete from decisions where incident_id = $1", incident_id);
    clock.forward(24 * 3600);
    const before = await everything();
    await sweep(journey);
    expect(await everything()).toEqual(before);
    await sql("update alerts set status = 'resolved' where incident_id = $1", incident_id);
    await sweep(journey);
    expect(await incidentOf(incident_id)).toMatchObject({ status: "resolved" });
    expect(await sql("select 1 from decisions where incident_id = $1", incident_id)).toEqual([]);
  });

  it("moves the others on when one cannot be, and says so", async () => {
    const broken = await asked(database, clock);
    const other = await asked(database, clock);
    const quiet = await presented(database, clock);
    await sql("update approvals set status = 'rejected' where approval_id = $1", quiet.approval_id);
    await sql(
      "update approvals set plan = 'null', approval_id = approval_id where approval_id = $1",
      broken.approval_id,
    );
    clock.forward(COOL_DOWN);
    await expect(sweep(journey)).rejects.toThrow();
    expect(await approvalsOf(other.incident_id)).toMatchObject([{ status: "pending" }]);
    expect(await incidentOf(quiet.incident_id)).toMatchObject({ status: "resolved" });
  });
});

describe("work that ended with an error", () => {
  beforeAll(async () => {
    database = await createDatabase();
    clock = setClock();
    journey = testJourney(database, clock);
  });
  afterAll(() => database.drop());

  it("is run again three times, and then left", async () => {
    const pool = createPool({ url: database.url }, silentLog);
    await startWorkflows(() => journey, pool, silentLog);
    try {
      // There is no such approval: every run of it fails.
      const work = { kind: "execute", incident_id: "INC-NONE", approval_id: "APR-NONE" } as const;
      await transaction(journey.as("intake"), (tx) => enqueue(tx, work));
      const runs = async () =>
        sql("select workflow_uuid id, status from dbos.workflow_status where name = 'execute' order by 1");
      const ended = (count: number) =>
        until(async () => {
          const rows = await runs();
          return rows.length === count && rows.every((row) => row.status === "ERROR");
        }, `${count} failed runs`);
      for (let count = 1; count <= 4; count += 1) {
        await ended(count);
        await sweep(journey);
      }
      await sweep(journey);
      expect((await runs()).map((row) => row.id)).toEqual([
        "execute:APR-NONE",
        "execute:APR-NONE:again-1",
        "execute:APR-NONE:again-2",
        "execute:APR-NONE:again-3",
      ]);
    } finally {
      await stopWorkflows();
      await pool.end();
    }
  });
});
