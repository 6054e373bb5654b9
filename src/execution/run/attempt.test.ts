import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { approved } from "../../../test/support/approved.ts";
import { createDatabase, type TestDatabase } from "../../../test/support/database.ts";
import {
  GATEWAY,
  makePerson,
  type Person,
  type SetClock,
  setClock,
} from "../../../test/support/pipeline-deps.ts";
import { SEED } from "../../../test/support/random.ts";
import { ScriptedTarget } from "../../../test/support/scripted-executor.ts";
import type { Ctx } from "../../db/ctx.ts";
import { resolve } from "../../incident/index.ts";
import type { Operation } from "../../operation/index.ts";
import { insertAttempt, updateExecution } from "../store.ts";
import type { ActResult, RunOptions } from "../types.ts";
import { attemptExecution, followUp } from "./attempt.ts";
import { beginExecution } from "./begin.ts";
import { concludeExecution } from "./conclude.ts";
import { isTransient } from "./transient.ts";

let database: TestDatabase;
let clock: SetClock;
let target: ScriptedTarget;
let options: RunOptions;
let ada: Person;

beforeAll(async () => {
  database = await createDatabase();
  clock = setClock();
  ada = await makePerson(database.ctx(undefined, clock), "ada", "admin");
});
afterAll(() => database.drop());
beforeEach(() => {
  clock.forward(10_000);
  target = new ScriptedTarget();
  options = {
    gateway: () => ({
      ...GATEWAY,
      executors: [target.executor],
    }),
    retries: 2,
    retry_wait: 30,
    busy_wait: 2,
    timeout: 60,
    deadline: 1_200,
  };
});

const pipeline = (): Ctx => database.ctx({ kind: "system", name: "pipeline" }, clock);
const sweep = (): Ctx => database.ctx({ kind: "system", name: "sweep" }, clock);

async function begun(operation?: Operation) {
  const plan = await approved([ada], database, clock, operation);
  const { execution_id } = await beginExecution(pipeline(), plan.approval_id, options);
  const attempt = (number: number) =>
    attemptExecution(pipeline(), { execution_id, attempt: number }, options);
  return { ...plan, execution_id, attempt };
}
async function rowOf(execution_id: string) {
  const { rows } = await database.pool.query("select * from executions where execution_id = $1", [
    execution_id,
  ]);
  return rows[0];
}
async function attemptsOf(execution_id: string) {
  const { rows } = await database.pool.query(
    "select attempt, outcome, sent, error from execution_attempts where execution_id = $1 order by attempt",
    [execution_id],
  );
  return rows;
}

describe("what follows from an attempt", () => {
  const failure = fc.record(
    {
      ok: fc.constant(false as const),
      error: fc.constantFrom(
        "connection refused",
        "timed out after 60 s",
        "EOF",
        "not found",
        "forbidden: timeout",
        "exit code 1",
      ),
      sent: fc.boolean(),
      status: fc.constantFrom(403, 404, 429, 500, 503),
    },
    { requiredKeys: ["ok", "error", "sent"] },
  );
  const setting = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.boolean(), fc.integer({ min: 0, max: 10 }));

  it("is a repetition only where the error is transient and repeating cannot do harm, and only so often", () => {
    fc.assert(
      fc.property(failure, setting, (result, [attempt, idempotent, retries]) => {
        const next = followUp(result as ActResult, attempt, idempotent, { retries, retry_wait: 30 });
        const may = isTransient(result) && (!result.sent || idempotent) && attempt <= retries;
        expect(next.kind === "again").toBe(may);
        if (result.sent && !idempotent) expect(next.kind).toBe("acted");
        if (attempt > retries) expect(next.kind).not.toBe("again");
        if (next.kind === "again") expect(next).toEqual({ kind: "again", wait: 30, next: attempt + 1 });
        // What may have reached the target is looked at; what has not is over.
        if (!may) expect(next).toEqual(result.sent ? { kind: "acted", known: false } : { kind: "failed" });
      }),
      { seed: SEED },
    );
  });

  it("is that its effect is looked at, whenever it says that it is done", () => {
    fc.assert(
      fc.property(setting, ([attempt, idempotent, retries]) => {
        const next = followUp({ ok: true, output: "" }, attempt, idempotent, { retries, retry_wait: 30 });
        expect(next).toEqual({ kind: "acted", known: true });
      }),
      { seed: SEED },
    );
  });
});

/** Acts go on until `end` is called; `reached` when the first has begun. */
function holdAct() {
  const { promise, resolve: end } = Promise.withResolvers<ActResult>();
  const { promise: reached, resolve: begins } = Promise.withResolvers<void>();
  target.onAct = () => {
    begins();
    return promise;
  };
  return { end, reached };
}

describe("an attempt", () => {
  it("is written down before the act and after it", async () => {
    const { execution_id, attempt } = await begun();
    let during: unknown;
    target.onAct = async () => {
      during = { attempts: await attemptsOf(execution_id), status: (await rowOf(execution_id)).status };
      return { ok: true, output: "restarted" };
    };
    expect(await attempt(1)).toEqual({ kind: "acted", known: true });
    const open = { attempt: 1, outcome: null, sent: null, error: null };
    expect(during).toEqual({ attempts: [open], status: "running" });
    expect(await attemptsOf(execution_id)).toEqual([{ ...open, outcome: "success", sent: true }]);
    expect(await rowOf(execution_id)).toMatchObject({
      status: "verifying",
      attempts: 1,
      output: "restarted",
    });
  });

  it("counts what was thrown as something that may have been sent, thrown at once or later", async () => {
    for (const onAct of [
      async () => {
        throw new Error("broken");
      },
      () => {
        throw new Error("broken");
      },
    ]) {
      const { execution_id, attempt } = await begun();
      const executor = { ...target.executor, act: onAct };
      options.gateway = () => ({ ...GATEWAY, executors: [executor] });
      expect(await attempt(1)).toEqual({ kind: "acted", known: false });
      expect(await attemptsOf(execution_id)).toMatchObject([
        { outcome: "unknown", sent: true, error: "broken" },
      ]);
      expect((await rowOf(execution_id)).status).toBe("verifying");
    }
  });

  it("tells an act that takes too long to stop, and counts it as sent", async () => {
    options.timeout = 0.02;
    options.retries = 0;
    const { execution_id, attempt } = await begun();
    let told: AbortSignal | undefined;
    const executor = {
      ...target.executor,
      act: (_operation: Operation, _run: unknown, signal: AbortSignal) => {
        told = signal;
        return new Promise<never>(() => {});
      },
    };
    options.gateway = () => ({ ...GATEWAY, executors: [executor] });
    expect(await attempt(1)).toEqual({ kind: "acted", known: false });
    expect(told?.aborted).toBe(true);
    expect(await attemptsOf(execution_id)).toMatchObject([{ outcome: "unknown", sent: true }]);
  });

  it("is audited with its own duration, not that of the ones before it", async () => {
    const { execution_id, attempt } = await begun();
    target.onAct = (count) => {
      clock.forward(count);
      return count === 1
        ? { ok: false, error: "connection refused", sent: false }
        : { ok: true, output: "restarted" };
    };
    await attempt(1);
    clock.forward(30);
    await attempt(2);
    const { rows } = await database.pool.query(
      "select data from audit_entries where subject = $1 and data->>'what' = 'act' order by seq",
      [execution_id],
    );
    expect(rows.map(({ data }) => data.duration_ms)).toEqual([1_000, 2_000]);
  });

  it("is not made again when it has ended, whatever asks for it", async () => {
    const done = await begun();
    const first = await done.attempt(1);
    expect(await done.attempt(1)).toEqual(first);
    const failing = await begun();
    target.onAct = () => ({ ok: false, error: "connection refused", sent: false });
    const again = { kind: "again", wait: 30, next: 2 };
    expect(await failing.attempt(1)).toEqual(again);
    expect(await failing.attempt(1)).toEqual(again);
    expect(target.acts).toHaveLength(2);
    expect(await attemptsOf(failing.execution_id)).toHaveLength(1);
  });

  it("is not made for an execution that has ended", async () => {
    const { execution_id, attempt } = await begun();
    await attempt(1);
    const verification = { result: "success" as const, reason: "", evidence: { before: null, after: null } };
    await concludeExecution(pipeline(), { execution_id, verification });
    expect(await attempt(2)).toEqual({ kind: "acted", known: true });
    const failed = await begun();
    await concludeExecution(sweep(), { execution_id: failed.execution_id, verification: null });
    expect(await failed.attempt(1)).toEqual({ kind: "failed" });
    expect(target.acts).toHaveLength(1);
  });

  it("changes nothing of an execution that was ended while it acted: the conclusion is drawn once", async () => {
    const { execution_id, attempt } = await begun();
    target.onAct = async () => {
      await concludeExecution(sweep(), { execution_id, verification: null, error: "not in time" });
      return { ok: true, output: "restarted" };
    };
    expect(await attempt(1)).toEqual({ kind: "failed" });
    expect(await rowOf(execution_id)).toMatchObject({ status: "failed", error: "not in time" });
    expect(await attemptsOf(execution_id)).toMatchObject([{ outcome: "success" }]);
    expect(await concludeExecution(pipeline(), { execution_id, verification: null })).toBeNull();
  });

  it.each([
    ["done", { kind: "acted", known: true }, "success"],
    ["not_done", { kind: "again", wait: 0, next: 2 }, "failed"],
    ["cannot_tell", { kind: "acted", known: false }, "unknown"],
  ] as const)("that was cut off is looked at, not repeated: %s", async (effect, outcome, kept) => {
    const { execution_id, attempt } = await begun();
    // As a process leaves it that is killed while it acts.
    const ctx = pipeline();
    await insertAttempt(ctx, execution_id, 1);
    await updateExecution(ctx, execution_id, { status: "running", attempts: 1, started_at: clock.now() });
    target.effectAnswer = effect;
    expect(await attempt(1)).toEqual(outcome);
    expect(await attempt(1)).toEqual(outcome);
    expect(target.acts).toHaveLength(0);
    expect(await attemptsOf(execution_id)).toMatchObject([{ attempt: 1, outcome: kept }]);
  });

  it("that is under way is not taken for cut off by a turn that is over", async () => {
    const { execution_id, attempt } = await begun();
    const { end, reached } = holdAct();
    await database.pool.query("update executions set turn = 1 where execution_id = $1", [execution_id]);
    const input = { execution_id, attempt: 1, turn: 1 };
    const acting = attemptExecution(pipeline(), input, options);
    await reached;
    expect(await attempt(1)).toEqual({ kind: "over" });
    end({ ok: true, output: "restarted" });
    expect(await acting).toEqual({ kind: "acted", known: true });
    expect(await attemptsOf(execution_id)).toMatchObject([{ attempt: 1, outcome: "success" }]);
  });

  it("that is under way is made by nobody else, in whichever turn they come for it", async () => {
    const { execution_id, attempt } = await begun();
    const { end, reached } = holdAct();
    const acting = attempt(1);
    await reached;
    expect(await attempt(1)).toEqual({ kind: "over" });
    await database.pool.query("update executions set turn = 1 where execution_id = $1", [execution_id]);
    const other = { execution_id, attempt: 1, turn: 1 };
    expect(await attemptExecution(pipeline(), other, options)).toEqual({ kind: "over" });
    end({ ok: true, output: "restarted" });
    expect(await acting).toEqual({ kind: "acted", known: true });
    expect(target.acts).toHaveLength(1);
    expect(await attemptsOf(execution_id)).toMatchObject([{ attempt: 1, outcome: "success" }]);
  });

  it("passes the gates anew: what was allowed at the first may be refused at the second", async () => {
    const { execution_id, incident_id, attempt } = await begun();
    target.onAct = () => ({ ok: false, error: "connection refused", sent: false });
    expect((await attempt(1)).kind).toBe("again");
    await resolve(database.ctx(ada, clock), { incident_id });
    expect(await attempt(2)).toEqual({ kind: "refused" });
    expect(await attempt(2)).toEqual({ kind: "refused" });
    expect(target.acts).toHaveLength(1);
    expect(await rowOf(execution_id)).toMatchObject({ status: "refused", error_code: "incident_over" });
    expect(await attemptsOf(execution_id)).toHaveLength(1);
  });

  it("is verified, when a further one is refused but this one may have had an effect", async () => {
    const { execution_id, incident_id, attempt } = await begun();
    target.onAct = () => ({ ok: false, error: "connection reset", sent: true });
    expect((await attempt(1)).kind).toBe("again");
    await resolve(database.ctx(ada, clock), { incident_id });
    expect(await attempt(2)).toEqual({ kind: "acted", known: false });
    expect(await attempt(2)).toEqual({ kind: "acted", known: false });
    expect(target.acts).toHaveLength(1);
    expect(await rowOf(execution_id)).toMatchObject({ status: "verifying", error_code: "incident_over" });
  });

  it("waits while another execution acts on the same target, and for no other", async () => {
    const first = await begun();
    clock.forward(1);
    const second = await begun(first.operation);
    const elsewhere = await begun();
    expect((await first.attempt(1)).kind).toBe("acted");
    expect(await second.attempt(1)).toEqual({ kind: "again", wait: 2, next: 1 });
    expect((await elsewhere.attempt(1)).kind).toBe("acted");
    await concludeExecution(pipeline(), { execution_id: first.execution_id, verification: null });
    expect((await second.attempt(1)).kind).toBe("acted");
    expect(target.acts).toHaveLength(3);
  });

  it("comes after those that were signed before it, whichever is tried first", async () => {
    const first = await begun();
    clock.forward(1);
    // Signed in between, and not even begun: its workflow is on its way.
    const second = await approved([ada], database, clock, first.operation);
    clock.forward(1);
    const third = await begun(first.operation);
    // Whoever has more before it asks less often.
    const again = { kind: "again", wait: 2, next: 1 };
    expect(await third.attempt(1)).toEqual({ ...again, wait: 4 });
    expect((await first.attempt(1)).kind).toBe("acted");
    await concludeExecution(pipeline(), { execution_id: first.execution_id, verification: null });
    expect(await third.attempt(1)).toEqual(again);
    const { execution_id } = await beginExecution(pipeline(), second.approval_id, options);
    expect(await third.attempt(1)).toEqual(again);
    await attemptExecution(pipeline(), { execution_id, attempt: 1 }, options);
    await concludeExecution(pipeline(), { execution_id, verification: null });
    expect((await third.attempt(1)).kind).toBe("acted");
    expect(target.acts.map((run) => run.execution_id)).toEqual([
      first.execution_id,
      execution_id,
      third.execution_id,
    ]);
  });

  it("does not wait for one that was signed earlier and may not act any more", async () => {
    const first = await begun();
    clock.forward(300);
    const second = await begun(first.operation);
    expect((await second.attempt(1)).kind).toBe("again");
    clock.forward(300);
    expect((await second.attempt(1)).kind).toBe("acted");
    expect((await first.attempt(1)).kind).toBe("again");
    await concludeExecution(pipeline(), { execution_id: second.execution_id, verification: null });
    expect(await first.attempt(1)).toEqual({ kind: "refused" });
  });

  it("is made by one of many that begin at once on a target", async () => {
    const first = await begun();
    const others = [await begun(first.operation), await begun(first.operation)];
    const kinds = await Promise.all([first, ...others].map(async (one) => (await one.attempt(1)).kind));
    expect(kinds.sort()).toEqual(["acted", "again", "again"]);
    expect(target.acts).toHaveLength(1);
  });

  it("keeps 2,000 characters of an error and 8,000 of what it is told, without credentials and what no database can hold", async () => {
    const { execution_id, attempt } = await begun();
    const stderr = `password=hunter2-S3cr3t\0\ud800 ${"x".repeat(10_000)}`;
    const long = `exit code 1 ${"y".repeat(1_987)}\u{1f525}${"y".repeat(5_000)}`;
    target.onAct = () => ({ ok: false, error: long, sent: true, stderr });
    await attempt(1);
    const row = await rowOf(execution_id);
    expect(row.stderr).toHaveLength(8_000);
    expect(row.error).toHaveLength(2_000);
    expect(row.error?.isWellFormed()).toBe(true);
    expect(JSON.stringify(row)).not.toContain("hunter2");
  });

  // Half a pair is refused by `jsonb`: the outcome of what was done could not be kept.
  it.each([7_997, 7_998, 7_999, 8_000])(
    "keeps its outcome when a pair falls on the end: %d",
    async (length) => {
      const { execution_id, attempt } = await begun();
      target.onAct = () => ({ ok: true, output: `${"x".repeat(length)}😀😀` });
      expect(await attempt(1)).toEqual({ kind: "acted", known: true });
      const row = await rowOf(execution_id);
      expect(row.output.isWellFormed() && row.output.length <= 8_000).toBe(true);
      expect(await attemptsOf(execution_id)).toMatchObject([{ outcome: "success" }]);
    },
  );
});
