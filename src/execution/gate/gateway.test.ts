import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Asked, approved, presented, restartOf } from "../../../test/support/approved.ts";
import { createDatabase, type TestDatabase } from "../../../test/support/database.ts";
import {
  GATEWAY,
  makePerson,
  type Person,
  type SetClock,
  setClock,
} from "../../../test/support/pipeline-deps.ts";
import { ScriptedTarget } from "../../../test/support/scripted-executor.ts";
import { until } from "../../../test/support/until.ts";
import { createToken, revokeToken } from "../../access/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { resolve } from "../../incident/index.ts";
import type { Role } from "../../lib/actor.ts";
import type { Operation } from "../../operation/index.ts";
import { prepareExecution } from "../plan/prepare.ts";
import { attemptExecution } from "../run/attempt.ts";
import { beginExecution } from "../run/begin.ts";
import type { Caller, GatewayOptions } from "../types.ts";
import { authoriseCall, type Call } from "./authorise.ts";
import { readThroughGateway } from "./gateway.ts";

let database: TestDatabase;
let clock: SetClock;
let target: ScriptedTarget;
let options: GatewayOptions;
let ada: Person;
let bob: Person;

beforeAll(async () => {
  database = await createDatabase();
  clock = setClock();
  ada = await makePerson(database.ctx(undefined, clock), "ada", "approver");
  bob = await makePerson(database.ctx(undefined, clock), "bob", "approver");
});
afterAll(() => database.drop());
beforeEach(() => {
  // Past the hour in which the changes of the test before would count.
  clock.forward(10_000);
  target = new ScriptedTarget();
  options = {
    ...GATEWAY,
    executors: [target.executor],
  };
});

const pipeline = (): Ctx => database.ctx({ kind: "system", name: "pipeline" }, clock);
const run = () => ({
  gateway: () => options,
  retries: 0,
  retry_wait: 0,
  busy_wait: 2,
  timeout: 60,
  deadline: 1_200,
});
const sql = (text: string, ...values: unknown[]) => database.pool.query(text, values);

/** The call that acts on what was asked, as an attempt makes it. */
const callOf = ({ incident_id, approval_id, plan_hash, operation }: Asked): Call => ({
  caller: "approval_executor",
  incident_id,
  operation,
  scope: "write",
  run: { execution_id: `EXE-OF-${approval_id}`, approval_id, plan_hash },
});
const refusalOf = async (call: Call) => {
  const admission = await authoriseCall(pipeline(), options, call);
  return admission.ok ? null : [admission.refusal.gate, admission.refusal.code];
};

/** Carries an approved plan out, through the gateway. */
async function carryOut({ approval_id }: Asked) {
  const { execution_id } = await beginExecution(pipeline(), approval_id, run());
  const outcome = await attemptExecution(pipeline(), { execution_id, attempt: 1 }, run());
  return { execution_id, kind: outcome.kind };
}
async function auditOf(subject: string) {
  const { rows } = await sql(
    "select data from audit_entries where subject = $1 and action = 'gateway.call' order by seq",
    subject,
  );
  return rows.map((row) => row.data as Record<string, unknown>);
}

describe("the gateway", () => {
  it("lets a signed plan through, with the executor that offers its tool", async () => {
    const plan = await approved([ada], database, clock);
    const admission = await authoriseCall(pipeline(), options, callOf(plan));
    expect(admission).toEqual({ ok: true, executor: target.executor });
  });

  it("1: knows its callers by name, and nothing that an object happens to have", async () => {
    const plan = await approved([ada], database, clock);
    for (const caller of ["somebody", "toString", "__proto__"]) {
      expect(await refusalOf({ ...callOf(plan), caller: caller as Caller })).toEqual([1, "caller_unknown"]);
    }
  });

  it("2: refuses a tool that nothing offers, and arguments that are not the tool's", async () => {
    const plan = await approved([ada], database, clock);
    const undo: Operation = {
      kind: "kubernetes.rollout_undo",
      target: { kind: "deployment", name: "web", namespace: "prod" },
      parameters: {},
    };
    expect(await refusalOf({ ...callOf(plan), operation: undo })).toEqual([2, "tool_unknown"]);
    const wrong = [
      { ...plan.operation, parameters: { force: true } },
      { ...plan.operation, target: null },
      { ...plan.operation, target: { kind: "deployment", name: "web" } },
    ] as unknown as Operation[];
    for (const operation of wrong) {
      expect(await refusalOf({ ...callOf(plan), operation })).toEqual([2, "arguments_invalid"]);
    }
  });

  it("3: refuses a scope that the caller is not granted, read included", async () => {
    const plan = await approved([ada], database, clock);
    expect(await refusalOf({ ...callOf(plan), caller: "planner" })).toEqual([3, "scope_not_granted"]);
    options.grants = { ...options.grants, planner: [] };
    expect(await refusalOf({ ...callOf(plan), caller: "planner", scope: "read" })).toEqual([
      3,
      "scope_not_granted",
    ]);
  });

  it("3: takes the scope of a change from its tool, not from what the caller says", async () => {
    const plan = await approved([ada], database, clock);
    options.grants = { ...options.grants, approval_executor: ["read", "admin"] };
    expect(await refusalOf({ ...callOf(plan), scope: "admin" })).toEqual([3, "scope_not_granted"]);
  });

  it("4: changes nothing in shadow mode or while frozen, and goes on reading", async () => {
    const plan = await approved([ada], database, clock);
    for (const [stop, code] of [
      [{ mode: "shadow" as const }, "mode_shadow"],
      [{ frozen: true }, "frozen"],
    ] as const) {
      const stopped = { ...options, ...stop };
      const admission = await authoriseCall(pipeline(), stopped, callOf(plan));
      expect(admission).toMatchObject({ ok: false, refusal: { gate: 4, code } });
      expect(await authoriseCall(pipeline(), stopped, { ...callOf(plan), scope: "read" })).toMatchObject({
        ok: true,
      });
    }
  });

  it("4: counts the changes of a target, and of all, within an hour and no longer", async () => {
    options.max_per_hour = { target: 2, total: 3 };
    const busy = restartOf("busy");
    for (const operation of [busy, busy, restartOf("other")]) {
      const done = await carryOut(await approved([ada], database, clock, operation));
      await sql("update executions set status = 'success' where execution_id = $1", done.execution_id);
      clock.forward(60);
    }
    const third = await approved([ada], database, clock, busy);
    expect(await refusalOf(callOf(third))).toEqual([4, "rate_target"]);
    const fresh = await approved([ada], database, clock, restartOf("fresh"));
    expect(await refusalOf(callOf(fresh))).toEqual([4, "rate_total"]);
    clock.forward(3600 - 3 * 60);
    const later = await approved([ada], database, clock, restartOf("fresh"));
    expect(await refusalOf(callOf(later))).toBeNull();
  });

  it("4: does not count a further attempt of one execution as a further change", async () => {
    options.max_per_hour = { target: 1, total: 1 };
    target.onAct = () => ({ ok: false, error: "connection refused", sent: false });
    const { approval_id } = await approved([ada], database, clock);
    const { execution_id } = await beginExecution(pipeline(), approval_id, run());
    const twice = { ...run(), retries: 1 };
    expect(await attemptExecution(pipeline(), { execution_id, attempt: 1 }, twice)).toMatchObject({
      kind: "again",
    });
    expect((await attemptExecution(pipeline(), { execution_id, attempt: 2 }, twice)).kind).toBe("failed");
    expect(target.acts).toHaveLength(2);
  });

  it("5: refuses a change without an approval, or with one that nobody has completed", async () => {
    const plan = await presented(database, clock);
    const { run: _, ...without } = callOf(plan);
    expect(await refusalOf(without)).toEqual([5, "approval_missing"]);
    expect(await refusalOf(callOf(plan))).toEqual([5, "approval_missing"]);
    const half = await approved([ada], database, clock, undefined, "high");
    expect(await refusalOf(callOf(half))).toEqual([5, "approval_missing"]);
  });

  it("5: refuses an approval that the clock has fallen behind: its age cannot be told", async () => {
    const plan = await approved([ada], database, clock);
    clock.forward(-60);
    expect(await refusalOf(callOf(plan))).toBeNull();
    clock.forward(-1);
    expect(await refusalOf(callOf(plan))).toEqual([5, "authority_expired"]);
    clock.forward(61);
  });

  it("5: refuses an approval when its 600 s are over, and not before", async () => {
    const plan = await approved([ada], database, clock);
    clock.forward(599);
    expect(await refusalOf(callOf(plan))).toBeNull();
    clock.forward(1);
    expect(await refusalOf(callOf(plan))).toEqual([5, "authority_expired"]);
  });

  it("5: refuses whatever is not exactly what was signed", async () => {
    const plan = await approved([ada], database, clock);
    const call = callOf(plan);
    const more = { namespace: "elsewhere" };
    const others = [
      restartOf("another"),
      { ...plan.operation, target: { ...plan.operation.target, ...more } } as Operation,
    ];
    for (const operation of others) {
      expect(await refusalOf({ ...call, operation })).toEqual([5, "plan_mismatch"]);
    }
    const { approval_id } = plan;
    const run = { execution_id: "EXE-1", approval_id, plan_hash: "0".repeat(64) };
    expect(await refusalOf({ ...call, run })).toEqual([5, "plan_mismatch"]);
  });

  it.each([
    ["the target", `jsonb_set(plan, '{operation,target,name}', '"other"')`],
    ["the risk", `jsonb_set(plan, '{risk_level}', '"low"')`],
    ["the signatures needed", `jsonb_set(plan, '{required_signatures}', '1')`],
    ["the incident", `jsonb_set(plan, '{incident_id}', '"INC-1"')`],
    ["its form", `plan - 'version'`],
  ])("5: notices that %s in the stored plan was tampered with", async (_what, tampered) => {
    const plan = await approved([ada, bob], database, clock, undefined, "high");
    await sql(`update approvals set plan = ${tampered} where approval_id = $1`, plan.approval_id);
    expect(await refusalOf(callOf(plan))).toEqual([5, "plan_mismatch"]);
    const done = await carryOut(plan);
    expect(done.kind).toBe("refused");
    expect(target.acts).toHaveLength(0);
  });

  it("5: counts signatures again, of this very plan, by people who may", async () => {
    const made = () => approved([ada, bob], database, clock, undefined, "high");
    for (const loss of [
      "delete from signatures where approval_id = $1",
      "delete from signatures where approval_id = $1 and person_name = 'bob'",
      "update signatures set plan_hash = repeat('0', 64) where approval_id = $1 and person_name = 'bob'",
      "update signatures set role = 'responder' where approval_id = $1 and person_name = 'bob'",
    ]) {
      const plan = await made();
      expect(await refusalOf(callOf(plan))).toBeNull();
      await sql(loss, plan.approval_id);
      expect(await refusalOf(callOf(plan))).toEqual([5, "quorum_missing"]);
    }
  });

  it("5: does not count who has no token of the role any more, and says whose signature lapsed", async () => {
    const admin = database.ctx({ ...ada, role: "admin" }, clock);
    const left = async (role: Role = "approver") => {
      const eve = await makePerson(database.ctx(undefined, clock), `eve-${randomUUID()}`, role);
      return { eve, plan: await approved([eve], database, clock) };
    };
    const one = await left();
    expect(await refusalOf(callOf(one.plan))).toBeNull();
    await revokeToken(admin, { token_id: one.eve.token_id });
    expect(await refusalOf(callOf(one.plan))).toEqual([5, "signature_lapsed"]);
    const admission = await authoriseCall(pipeline(), options, callOf(one.plan));
    expect(admission).toMatchObject({
      refusal: { message: expect.stringContaining(`${one.eve.name}: all their tokens are revoked`) },
    });

    const kept = await left("admin");
    await revokeToken(admin, { token_id: kept.eve.token_id, keep_signatures: true });
    expect(await refusalOf(callOf(kept.plan))).toBeNull();

    // Of the tokens of one person the highest role counts.
    const lower = await left();
    const { name, person_id } = lower.eve;
    const more = await createToken(admin, { name: "phone", role: "responder", person: name });
    expect(more.person_id).toBe(person_id);
    expect(await refusalOf(callOf(lower.plan))).toBeNull();
    await revokeToken(admin, { token_id: lower.eve.token_id });
    expect(await refusalOf(callOf(lower.plan))).toEqual([5, "signature_lapsed"]);
    // What may have been stolen does not come back with a new token.
    clock.forward(1);
    await createToken(admin, { name: "laptop", role: "approver", person: name });
    expect(await refusalOf(callOf(lower.plan))).toEqual([5, "signature_lapsed"]);
  });

  it("5: a token is revoked before an act begins, or after it has: never between its check and its beginning", async () => {
    const admin = database.ctx({ ...ada, role: "admin" }, clock);
    const eve = await makePerson(database.ctx(undefined, clock), `eve-${randomUUID()}`, "approver");
    const plan = await approved([eve], database, clock);
    const order: string[] = [];
    let revoking: Promise<void> | undefined;
    await transaction(pipeline(), async (tx) => {
      expect(await authoriseCall(tx, options, callOf(plan))).toMatchObject({ ok: true });
      revoking = revokeToken(admin, { token_id: eve.token_id }).then(() => void order.push("revoked"));
      await until(
        async () =>
          (
            await sql(
              "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
            )
          ).rows.length > 0 || undefined,
        "the revocation to wait",
      );
      order.push("begun");
    });
    await revoking;
    expect(order).toEqual(["begun", "revoked"]);
    expect(await refusalOf(callOf(plan))).toEqual([5, "signature_lapsed"]);
  });

  it("5: refuses when plan and hash were replaced together: nobody has signed that", async () => {
    const plan = await approved([ada], database, clock);
    const other = await approved([ada], database, clock, restartOf("other"));
    await sql(
      `update approvals a set plan_hash = b.plan_hash, plan = b.plan from approvals b
        where a.approval_id = $1 and b.approval_id = $2`,
      plan.approval_id,
      other.approval_id,
    );
    const call = callOf({ ...plan, operation: other.operation, plan_hash: other.plan_hash });
    expect(await refusalOf(call)).toEqual([5, "quorum_missing"]);
  });

  it("5: acts for an incident that is going on, and for no other than the one that was signed for", async () => {
    const plan = await approved([ada], database, clock);
    const other = await approved([ada], database, clock);
    expect(await refusalOf({ ...callOf(plan), incident_id: other.incident_id })).toEqual([
      5,
      "incident_over",
    ]);
    await resolve(database.ctx(bob, clock), { incident_id: plan.incident_id });
    expect(await refusalOf(callOf(plan))).toEqual([5, "incident_over"]);
  });
});

describe("the ledger of the gateway", () => {
  it("has every read, which needs no approval", async () => {
    const { incident_id, operation } = await presented(database, clock);
    await prepareExecution(pipeline(), { incident_id, operation }, () => options);
    const calls = await auditOf(incident_id);
    expect(calls.map(({ what, outcome }) => [what, outcome])).toEqual([
      ["resolve", "ok"],
      ["dry-run", "ok"],
    ]);
    expect(calls[0]).toMatchObject({ caller: "planner", tool: "process_restart", incident_id, operation });
  });

  it("has what a read failed with, whether refused or thrown", async () => {
    const { incident_id, operation } = await presented(database, clock);
    const call = { caller: "planner" as const, incident_id, operation };
    const read = (what: string, work: () => Promise<unknown>) =>
      readThroughGateway(pipeline(), () => options, call, what, work);
    await read("look", async () => {
      throw new Error("connection reset, password=hunter2-S3cr3t");
    });
    await read("peek", () => {
      throw new Error("thrown at once");
    });
    options.executors = [];
    expect(await read("see", async () => 1)).toMatchObject({ ok: false });
    const calls = await auditOf(incident_id);
    expect(calls).toMatchObject([
      { what: "look", outcome: expect.stringContaining("connection reset") },
      { what: "peek", outcome: "thrown at once" },
      { what: "see", outcome: expect.stringContaining("Gate 2"), gate: 2, code: "tool_unknown" },
    ]);
    expect(JSON.stringify(calls)).not.toContain("hunter2");
  });

  it("has every act with its incident, approval, caller and outcome", async () => {
    const plan = await approved([ada], database, clock);
    const { execution_id, kind } = await carryOut(plan);
    expect(kind).toBe("acted");
    const { incident_id, approval_id, operation } = plan;
    expect(await auditOf(execution_id)).toMatchObject([
      { what: "act", outcome: "ok", caller: "approval_executor", incident_id, approval_id, operation },
    ]);
  });

  it("has an act that failed, without the credentials in its error", async () => {
    target.onAct = () => ({ ok: false, error: "denied: token=hunter2-S3cr3t", sent: false });
    const { execution_id } = await carryOut(await approved([ada], database, clock));
    const calls = await auditOf(execution_id);
    expect(calls).toMatchObject([{ what: "act", outcome: expect.stringContaining("denied") }]);
    expect(JSON.stringify(calls)).not.toContain("hunter2");
  });

  it("has every refusal with its gate and code, and people are told", async () => {
    options.frozen = true;
    const { execution_id, kind } = await carryOut(await approved([ada], database, clock));
    expect(kind).toBe("refused");
    expect(await auditOf(execution_id)).toMatchObject([
      { what: "act", outcome: "refused", gate: 4, code: "frozen" },
    ]);
    const { rows } = await sql("select topic from outbox where payload->>'execution_id' = $1", execution_id);
    expect(rows).toEqual([{ topic: "execution.finished" }]);
  });

  it("redacts arguments that look like credentials", async () => {
    const operation = restartOf("web --token=hunter2-S3cr3t");
    const { execution_id } = await carryOut(await approved([ada], database, clock, operation));
    expect(await auditOf(execution_id)).toMatchObject([{ what: "act", outcome: "ok" }]);
    const { rows } = await sql("select 1 from audit_entries where data::text like '%hunter2%'");
    expect(rows).toEqual([]);
  });
});
