import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Asked, approved, asked, presented } from "../../../test/support/approved.ts";
import { createDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { startIdleEngine } from "../../../test/support/idle-engine.ts";
import {
  makePerson,
  type Person,
  type SetClock,
  setClock,
  TERMS,
  testPipelineDeps,
} from "../../../test/support/pipeline-deps.ts";
import { approve, reject as rejectPlan } from "../../approval/index.ts";
import { attemptExecution, beginExecution, freeze, requeue, requeueLost } from "../../execution/index.ts";
import { updateExecution } from "../../execution/store.ts";
import { resolve, setMitigating } from "../../incident/index.ts";
import type { PipelineDeps } from "../types.ts";
import { sweep } from "./sweep.ts";

let database: TestDatabase;
let endEngine = async () => {};
let clock: SetClock;
let deps: PipelineDeps;
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
  const ctx = deps.as("pipeline");
  const { execution_id } = await beginExecution(ctx, approval_id, deps.run);
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
    endEngine = await startIdleEngine(database);
    ada = await makePerson(database.ctx(undefined, setClock()), "ada", "approver");
  });
  afterAll(async () => {
    await endEngine();
    await database.drop();
  });
  beforeEach(() => {
    clock = setClock();
    deps = testPipelineDeps(database, clock);
  });
  afterEach(async () => {
    const tables = [
      "alerts",
      "outbox",
      "signatures",
      "repair_records",
      "resolutions",
      "execution_attempts",
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
    await sweep(deps);
    await sweep(deps);
    expect(await everything()).toEqual(before);
  });

  it("presents what has been prepared for too long, with what there is", async () => {
    const { approval_id, incident_id } = await asked(database, clock);
    await fire(incident_id);
    clock.forward(TERMS.prepare);
    await sweep(deps);
    await sweep(deps);
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
    await sweep(deps);
    expect(await approvalsOf(incident_id)).toMatchObject([{ status: "superseded" }]);
  });

  it("expires what nobody signed in time", async () => {
    const { incident_id } = await presented(database, clock);
    await fire(incident_id);
    clock.forward(TERMS.expires_after - 1);
    await sweep(deps);
    expect(await approvalsOf(incident_id)).toMatchObject([{ status: "pending" }]);
    clock.forward(1);
    await sweep(deps);
    expect((await approvalsOf(incident_id))[0]).toMatchObject({ status: "expired" });
    expect(await sql("select topic from outbox where topic like '%.expired'")).toHaveLength(1);
  });

  it("expires what was signed and never begun, and not what was begun", async () => {
    const never = await approved([ada], database, clock);
    const going = await approved([ada], database, clock);
    const execution_id = await begun(going, "running");
    for (const one of [never, going]) await fire(one.incident_id);
    clock.forward(TERMS.authority);
    await sweep(deps);
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
      clock.forward(deps.run.deadline);
      await sweep(deps);
      expect(await executionOf(execution_id)).toMatchObject({ status });
      clock.forward(1);
      await sweep(deps);
      await sweep(deps);
      expect(await executionOf(execution_id)).toMatchObject({
        status: "failed",
        error: "it did not end in time",
        ended_at: clock.now(),
      });
      expect(await incidentOf(plan.incident_id)).toMatchObject({ status: "investigating" });
      const learnt = status === "pending" ? [] : [{ success: false, verification: "inconclusive" }];
      expect(await sql("select success, verification from repair_records")).toEqual(learnt);
      expect(await sql("select 1 from outbox where topic = 'execution.finished'")).toHaveLength(1);
    },
  );

  it("learns from an execution that was refused after an attempt, and gives its incident back", async () => {
    const plan = await approved([ada], database, clock);
    await fire(plan.incident_id);
    const execution_id = await begun(plan, "running");
    await setMitigating(deps.as("sweep"), plan.incident_id, true);
    const ended = { status: "refused", error_code: "frozen", ended_at: clock.now() } as const;
    await updateExecution(deps.as("pipeline"), execution_id, ended);
    await sweep(deps);
    await sweep(deps);
    expect(await sql("select execution_id, success from repair_records")).toEqual([
      { execution_id, success: false },
    ]);
    expect(await incidentOf(plan.incident_id)).toMatchObject({ status: "investigating" });
  });

  it("resolves an incident that nothing fires for and nothing is done about, after the cool-down", async () => {
    const { incident_id, approval_id } = await presented(database, clock);
    await fire(incident_id, "resolved");
    await sql("update approvals set status = 'rejected' where approval_id = $1", approval_id);
    clock.forward(COOL_DOWN - 1);
    await sweep(deps);
    expect(await incidentOf(incident_id)).toMatchObject({ status: "investigating" });
    clock.forward(1);
    await sweep(deps);
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
    await sweep(deps);
    for (const { incident_id } of [pending, acting]) {
      expect(await incidentOf(incident_id)).toMatchObject({ status: "investigating" });
    }
  });

  it("looks again at what was found to be well and goes on firing", async () => {
    const { incident_id, approval_id } = await presented(database, clock);
    await fire(incident_id);
    await sql("update approvals set status = 'superseded' where approval_id = $1", approval_id);
    const policy = JSON.stringify({ outcome: "none", rule: "no_action", reason: "it is well" });
    await sql("update decisions set policy = $2 where incident_id = $1", incident_id, policy);
    clock.forward(3_599);
    await sweep(deps);
    const approvals = () => sql("select status from approvals where incident_id = $1", incident_id);
    expect(await approvals()).toHaveLength(1);
    clock.forward(2);
    await sweep(deps);
    expect(await approvals()).toHaveLength(2);
  });

  it("puts what goes on firing before people again after the cool-down, and not before", async () => {
    const { incident_id, approval_id } = await presented(database, clock);
    await fire(incident_id);
    await sql("update approvals set status = 'rejected' where approval_id = $1", approval_id);
    clock.forward(COOL_DOWN - 1);
    await sweep(deps);
    expect(await approvalsOf(incident_id)).toHaveLength(1);
    clock.forward(1);
    await sweep(deps);
    await sweep(deps);
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
    deps = { ...deps, decide: { ...deps.decide, executable: () => false } };
    const reminders = async () =>
      (await sql("select 1 from outbox where topic = 'incident.reminder'")).length;
    await policy("none");
    clock.forward(24 * 3600);
    await sweep(deps);
    expect(await reminders()).toBe(0);
    await policy("manual");
    await sweep(deps);
    await sweep(deps);
    expect(await reminders()).toBe(1);
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
    await expect(sweep(deps)).rejects.toThrow();
    expect(await approvalsOf(other.incident_id)).toMatchObject([{ status: "pending" }]);
    expect(await incidentOf(quiet.incident_id)).toMatchObject({ status: "resolved" });
  });

  /** What was turned down, ran out or failed at minute 50 of its incident's life, long after its decision. */
  const put_aside: [string, (made: Asked) => Promise<unknown>, number][] = [
    ["was rejected", ({ approval_id }) => reject(ada, approval_id), COOL_DOWN],
    ["nobody signed", ({ approval_id }) => expire(approval_id, "pending"), COOL_DOWN],
    ["failed", (made) => failed(made, "failed", null), COOL_DOWN],
    ["was refused by a freeze that is over", (made) => failed(made, "refused", "frozen"), 0],
    ["was refused by a freeze that holds", (made) => frozen(made), COOL_DOWN],
    // Its people have said yes: what is missing is that it is done.
    ["was signed and not begun in time", ({ approval_id }) => expire(approval_id, "approved"), 0],
    ["was refused as signed too long ago", (made) => failed(made, "refused", "authority_expired"), 0],
    ["was refused as its signatures lapsed", (made) => failed(made, "refused", "signature_lapsed"), 0],
  ];
  const reject = (who: Person, approval_id: string) =>
    rejectPlan(database.ctx(who, clock), { approval_id, reason: "not now" });
  const expire = (approval_id: string, status: string) =>
    sql(
      "update approvals set status = 'expired', decided_at = $2::timestamptz, authority_until = case when $3 = 'approved' then $2::timestamptz end where approval_id = $1",
      approval_id,
      clock.now(),
      status,
    );
  async function frozen(made: Asked) {
    await freeze(database.ctx(ada, clock), { why: "we move the database" });
    await failed(made, "refused", "frozen");
  }
  async function failed(
    { approval_id, plan_hash }: Asked,
    status: "failed" | "refused",
    code: string | null,
  ) {
    await approve(database.ctx(ada, clock), { approval_id, plan_hash }, TERMS);
    const ctx = deps.as("pipeline");
    const { execution_id } = await beginExecution(ctx, approval_id, deps.run);
    await updateExecution(ctx, execution_id, { status, error_code: code, ended_at: clock.now() });
  }

  it.each(put_aside)(
    "asks again about what %s when its time has come, and not before",
    async (_, end, after) => {
      const made = await presented(database, clock);
      await fire(made.incident_id);
      clock.forward(50 * 60);
      await end(made);
      if (after > 0) {
        clock.forward(after - 1);
        await sweep(deps);
        expect(await approvalsOf(made.incident_id)).toHaveLength(1);
        clock.forward(1);
      }
      await sweep(deps);
      await sweep(deps);
      expect(await approvalsOf(made.incident_id)).toMatchObject([{}, { status: "preparing" }]);
    },
  );

  it("concludes a resolution that no workflow has concluded, as often as it takes", async () => {
    const { incident_id } = await presented(database, clock);
    await resolve(deps.as("pipeline"), { incident_id, through: "repair" });
    await sql("update dbos.workflow_status set status = 'ERROR'");
    clock.forward(59);
    await sweep(deps);
    expect(await sql("select disposition from resolutions")).toEqual([{ disposition: null }]);
    clock.forward(1);
    await sweep(deps);
    await sweep(deps);
    expect(await sql("select disposition, resolved_by from resolutions")).toEqual([
      { disposition: "human_approved", resolved_by: "pipeline (system)" },
    ]);
    expect(await approvalsOf(incident_id)).toMatchObject([{ status: "superseded" }]);
    expect(
      await sql(
        "select 1 from audit_entries where action = 'learning.disposition' and subject = $1",
        incident_id,
      ),
    ).toHaveLength(1);
  });

  it("takes up what was signed and is with no workflow, once a minute, and leaves what is with one", async () => {
    const { approval_id } = await approved([ada], database, clock);
    const runs = () =>
      sql(
        "select workflow_uuid id, status from dbos.workflow_status where name = 'execute' order by workflow_uuid",
      );
    const [first, second, third] = ["", ":again-1", ":again-11"].map((end) => `execute:${approval_id}${end}`);
    clock.forward(60);
    await sweep(deps);
    expect(await runs()).toEqual([{ id: first, status: "ENQUEUED" }]);
    const breakAll = () => sql("update dbos.workflow_status set status = 'ERROR'");
    await breakAll();
    await sweep(deps);
    await sweep(deps);
    expect(await runs()).toEqual([
      { id: first, status: "ERROR" },
      { id: second, status: "ENQUEUED" },
    ]);
    await breakAll();
    await sweep(deps);
    expect(await runs()).toHaveLength(2);
    // Begun meanwhile: it is its execution that goes on, also when the authority has lapsed.
    await beginExecution(deps.as("pipeline"), approval_id, deps.run);
    clock.forward(TERMS.authority);
    await sql("delete from dbos.workflow_status where workflow_uuid = $1", second);
    await sweep(deps);
    expect((await runs()).filter(({ status }) => status === "ENQUEUED")).toEqual([
      { id: third, status: "ENQUEUED" },
    ]);
  });

  it("takes up a turn that was lost, and what the one before it still wants is not done", async () => {
    const { approval_id, incident_id } = await approved([ada], database, clock);
    const ctx = deps.as("pipeline");
    const { execution_id } = await beginExecution(ctx, approval_id, deps.run);
    const runs = async () =>
      (
        await sql(
          "select workflow_uuid id, status from dbos.workflow_status where name in ('execute', 'verify')",
        )
      )
        .map(({ id, status }) => [String(id).replace(`:${approval_id}`, ""), status])
        .sort();
    const ids = { incident_id, approval_id };
    const before = { kind: "execute", ...ids, turn: 0 } as const;
    for (const _twice of [1, 2]) await requeue(ctx, before, { kind: "verify", execution_id }, 10);
    expect(await runs()).toEqual([
      ["execute", "ENQUEUED"],
      ["verify:turn-1", "DELAYED"],
    ]);
    await sql("update dbos.workflow_status set status = 'SUCCESS' where name = 'execute'");
    clock.forward(60);
    await sweep(deps);
    expect(await runs()).toHaveLength(2);
    await sql("update dbos.workflow_status set status = 'ERROR' where name = 'verify'");
    await sweep(deps);
    await sweep(deps);
    expect(await runs()).toEqual([
      ["execute", "SUCCESS"],
      ["execute:again-1", "ENQUEUED"],
      ["verify:turn-1", "ERROR"],
    ]);
    const attempt = (turn: number) => attemptExecution(ctx, { execution_id, attempt: 1, turn }, deps.run);
    for (const turn of [0, 1]) expect(await attempt(turn)).toEqual({ kind: "over" });
    expect((await attempt(2)).kind).toBe("refused");
  });

  it("leaves a turn alone that began after it had looked for what is lost", async () => {
    const { approval_id, incident_id } = await approved([ada], database, clock);
    const ctx = deps.as("pipeline");
    const { execution_id } = await beginExecution(ctx, approval_id, deps.run);
    const ids = { incident_id, approval_id };
    await sql("update dbos.workflow_status set status = 'SUCCESS' where name = 'execute'");
    await requeue(ctx, { ...ids, turn: 0 }, { kind: "execute" }, 0);
    const works = () => sql("select workflow_uuid from dbos.workflow_status order by 1");
    const before = await works();
    for (const seen of [
      { turn: 0, execution_id },
      { turn: 0, execution_id: null },
      { turn: 1, execution_id: null },
    ])
      await requeueLost(deps.as("sweep"), ids, { id: `execute:${approval_id}:again-1`, seen });
    expect(await works()).toEqual(before);
    expect(await executionOf(execution_id)).toMatchObject({ turn: 1 });
    await requeueLost(deps.as("sweep"), ids, {
      id: `execute:${approval_id}:again-1`,
      seen: { turn: 1, execution_id },
    });
    expect(await executionOf(execution_id)).toMatchObject({ turn: 2 });
  });

  it("waits for the first turn of work that was enqueued before there were turns", async () => {
    const { approval_id, incident_id } = await approved([ada], database, clock);
    await sql("update dbos.workflow_status set status = 'SUCCESS' where name = 'execute'");
    await requeueLost(deps.as("pipeline"), { incident_id, approval_id });
    clock.forward(60);
    await sweep(deps);
    expect(
      await sql("select workflow_uuid id from dbos.workflow_status where name = 'execute' order by 1"),
    ).toEqual([{ id: `execute:${approval_id}` }, { id: `execute:${approval_id}:turn-1` }]);
  });

  it("takes a plan back that cannot even be shown: its incident comes back to people", async () => {
    const { approval_id, incident_id } = await asked(database, clock);
    await fire(incident_id);
    await sql("update approvals set plan = 'null' where approval_id = $1", approval_id);
    clock.forward(TERMS.prepare);
    await expect(sweep(deps)).rejects.toThrow();
    expect(await approvalsOf(incident_id)).toMatchObject([{ status: "superseded" }]);
    await sweep(deps);
    clock.forward(COOL_DOWN);
    await sweep(deps);
    expect(await approvalsOf(incident_id)).toMatchObject([{}, { status: "preparing" }]);
  });

  it("makes a decision ready whose approval is prepared no longer", async () => {
    const { approval_id, incident_id } = await asked(database, clock);
    await fire(incident_id);
    await sql(
      "update approvals set status = 'rejected', decided_at = $2 where approval_id = $1",
      approval_id,
      clock.now(),
    );
    clock.forward(TERMS.prepare + 60);
    await sweep(deps);
    expect(await sql("select state from decisions")).toEqual([{ state: "ready" }]);
  });

  it("ends an incident of which nothing has been heard for its life, whatever its alert last said", async () => {
    const { incident_id, approval_id } = await presented(database, clock);
    await fire(incident_id);
    await sql(
      "update approvals set status = 'rejected', decided_at = $2 where approval_id = $1",
      approval_id,
      clock.now(),
    );
    await sql(`update decisions set policy = jsonb_set(policy, '{outcome}', '"none"')`);
    clock.forward(deps.windows.ttl - 1);
    await sweep(deps);
    expect(await incidentOf(incident_id)).toMatchObject({ status: "investigating" });
    clock.forward(1);
    await sweep(deps);
    expect(await incidentOf(incident_id)).toMatchObject({ status: "resolved", resolved_through: "silence" });
  });

  it("closes what has been resolved for long enough", async () => {
    const { incident_id } = await presented(database, clock);
    await resolve(deps.as("pipeline"), { incident_id, through: "notice" });
    clock.forward(deps.windows.close_after - 1);
    await sweep(deps);
    expect(await incidentOf(incident_id)).toMatchObject({ status: "resolved" });
    clock.forward(1);
    await sweep(deps);
    expect(await incidentOf(incident_id)).toMatchObject({ status: "closed", closed_at: clock.now() });
  });

  it("acts on nothing when the clock is set back or a day ahead, and nothing becomes younger", async () => {
    const pending = await presented(database, clock);
    const signed = await approved([ada], database, clock);
    for (const one of [pending, signed]) await fire(one.incident_id);
    const before = await incidentOf(pending.incident_id);
    clock.forward(-3600);
    await sweep(deps);
    await setMitigating(deps.as("sweep"), pending.incident_id, false);
    expect((await incidentOf(pending.incident_id)).updated_at).toEqual(before.updated_at);
    expect(await approvalsOf(pending.incident_id)).toMatchObject([{ status: "pending" }]);
    expect(await approvalsOf(signed.incident_id)).toMatchObject([{ status: "approved" }]);
    clock.forward(3600 + 86_400);
    await sweep(deps);
    for (const one of [pending, signed])
      expect((await approvalsOf(one.incident_id))[0]).toMatchObject({ status: "expired" });
    // People had said yes to one of them.
    expect(await approvalsOf(signed.incident_id)).toMatchObject([{}, { status: "preparing" }]);
    expect(await sql("select 1 from executions")).toEqual([]);
  });
});
