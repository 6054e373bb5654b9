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
import { ScriptedTarget } from "../../../test/support/scripted-executor.ts";
import { until } from "../../../test/support/until.ts";
import { transaction } from "../../db/transaction.ts";
import type { Role } from "../../lib/actor.ts";
import { addSeconds } from "../../lib/clock.ts";
import { timeInterval } from "../../lib/time-interval.ts";
import { attemptExecution } from "../run/attempt.ts";
import { beginExecution } from "../run/begin.ts";
import { lockTarget } from "../store.ts";
import type { RunOptions } from "../types.ts";
import { freeze } from "./freeze.ts";
import { freezeStatus } from "./status.ts";
import { unfreeze } from "./unfreeze.ts";

let database: TestDatabase;
let clock: SetClock;
let target: ScriptedTarget;
let options: RunOptions;
const people = {} as Record<Role, Person>;

beforeAll(async () => {
  database = await createDatabase();
  clock = setClock();
  for (const role of ["viewer", "responder", "approver", "admin"] as const)
    people[role] = await makePerson(database.ctx(undefined, clock), role, role);
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.forget();
  clock.forward(10_000);
  target = new ScriptedTarget();
  const gateway = () => ({ ...GATEWAY, executors: [target.executor] });
  options = { gateway, retries: 0, retry_wait: 0, busy_wait: 2, timeout: 60, deadline: 1_200 };
});

const as = (role: Role) => database.ctx(people[role], clock);
const pipeline = () => database.ctx({ kind: "system", name: "pipeline" }, clock);
const status = (role: Role = "viewer") => freezeStatus(as(role), options.gateway());
const sql = async (text: string) => (await database.pool.query(text)).rows;

async function carryOut() {
  const { approval_id } = await approved([people.approver], database, clock);
  const { execution_id } = await beginExecution(pipeline(), approval_id, options);
  return {
    execution_id,
    attempt: () => attemptExecution(pipeline(), { execution_id, attempt: 1 }, options),
  };
}

describe("a freeze", () => {
  it("stops what was approved, and says by whom, why and until when", async () => {
    await freeze(as("responder"), { why: "the disk is being swapped", duration: 7_200 });
    const { execution_id, attempt } = await carryOut();
    expect(await attempt()).toEqual({ kind: "refused" });
    expect(target.acts).toEqual([]);
    const until = addSeconds(clock.now(), 7_200).toISOString();
    const [row] = await sql(
      `select error, error_code from executions where execution_id = '${execution_id}'`,
    );
    expect(row).toEqual({
      error_code: "frozen",
      error: `Gate 4: changes are frozen by responder until ${until}: the disk is being swapped`,
    });
    clock.forward(7_200);
    expect(await (await carryOut()).attempt()).toMatchObject({ kind: "acted" });
  });

  it("is lifted by an approver, and its history stays", async () => {
    await freeze(as("responder"), { why: "one" });
    await freeze(as("admin"), { why: "two", duration: 60 });
    expect((await status()).freezes).toMatchObject([
      { why: "one", frozen_by: "responder", until: null },
      { why: "two", frozen_by: "admin" },
    ]);
    clock.forward(5);
    expect(await unfreeze(as("approver"))).toBe(2);
    expect(await status()).toMatchObject({ frozen: false, freezes: [] });
    expect(await unfreeze(as("approver"))).toBe(0);
    const rows = await sql(
      "select why, frozen_by, lifted_by, lifted_at - since as held from freezes order by why",
    );
    expect(rows).toMatchObject([
      { why: "one", lifted_by: "approver", held: { seconds: 5 } },
      { why: "two", lifted_by: "approver" },
    ]);
    expect(await (await carryOut()).attempt()).toMatchObject({ kind: "acted" });
  });

  it("does not shorten another: changes stay stopped until the last has ended", async () => {
    await freeze(as("admin"), { why: "long" });
    await freeze(as("responder"), { why: "short", duration: 1 });
    clock.forward(2);
    expect((await status()).freezes).toMatchObject([{ why: "long" }]);
  });

  it("is for responders to set and approvers to lift; everybody may see it, no sender and no stage may set it", async () => {
    await expect(freeze(as("viewer"), { why: "no" })).rejects.toMatchObject({ code: "forbidden" });
    await expect(freeze(pipeline(), { why: "no" })).rejects.toMatchObject({ code: "forbidden" });
    await expect(unfreeze(as("responder"))).rejects.toMatchObject({ code: "forbidden" });
    await expect(unfreeze(pipeline())).rejects.toMatchObject({ code: "forbidden" });
    const sender = database.ctx({ kind: "sender", name: "grafana" }, clock);
    for (const work of [
      freeze(sender, { why: "no" }),
      unfreeze(sender),
      freezeStatus(sender, options.gateway()),
    ])
      await expect(work).rejects.toMatchObject({ code: "forbidden" });
    expect(await status()).toMatchObject({ frozen: false });
  });

  it("is on the ledger, and people are told of it and of its end", async () => {
    const { freeze_id } = await freeze(as("responder"), { why: "password=hunter2-S3cr3t", duration: 60 });
    await unfreeze(as("approver"));
    const entries = await sql(
      "select action, actor, data from audit_entries where action like 'execution.%frozen' order by seq desc limit 2",
    );
    expect(entries).toMatchObject([
      { action: "execution.unfrozen", actor: "approver" },
      { action: "execution.frozen", actor: "responder" },
    ]);
    expect(JSON.stringify(entries)).not.toContain("hunter2");
    expect(freeze_id).toMatch(/^FRZ-/);
    const told = await sql("select topic, incident_id, payload from outbox order by seq");
    expect(told).toMatchObject([
      { topic: "execution.frozen", incident_id: null, payload: { by: "responder" } },
      { topic: "execution.unfrozen", incident_id: null, payload: { by: "approver" } },
    ]);
  });

  it("leaves nothing behind when it does not commit", async () => {
    const failing = transaction(as("admin"), async (tx) => {
      await freeze(tx, { why: "maybe" });
      throw new Error("not after all");
    });
    await expect(failing).rejects.toThrow("not after all");
    expect(await status()).toMatchObject({ frozen: false });
    expect(await sql("select 1 from outbox")).toEqual([]);
  });

  it("waits for acts that are about to begin: once it is set, none begins", async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const beginning = transaction(pipeline(), async (tx) => {
      await lockTarget(tx, "every target");
      await held;
    });
    const waiting = async () =>
      (await sql("select 1 from pg_locks where locktype = 'advisory' and not granted")).length > 0 ||
      undefined;
    await until(
      async () => (await sql("select 1 from pg_locks where locktype = 'advisory'")).length > 0 || undefined,
      "the lock",
    );
    let set = false;
    const freezing = freeze(as("admin"), { why: "now" }).then(() => {
      set = true;
    });
    await until(waiting, "the freeze to wait");
    expect(set).toBe(false);
    release();
    await Promise.all([beginning, freezing]);
    expect(await (await carryOut()).attempt()).toEqual({ kind: "refused" });
  });
});

describe("the status", () => {
  it("names windows that are open, the configuration's own freeze, and what is acting", async () => {
    const always = { name: "always", why: "audit", time_intervals: [timeInterval.parse({})] };
    const never = { name: "never", why: "no", time_intervals: [timeInterval.parse({ years: [1999] })] };
    const terms = { frozen: false, freeze_windows: [always, never] };
    expect(await freezeStatus(as("viewer"), terms)).toMatchObject({
      frozen: true,
      by_configuration: false,
      windows: [{ name: "always", why: "audit" }],
    });
    expect(await freezeStatus(as("viewer"), { frozen: true, freeze_windows: [] })).toMatchObject({
      frozen: true,
      by_configuration: true,
    });
    const { execution_id, attempt } = await carryOut();
    target.onAct = async () => {
      expect((await status()).under_way).toEqual([execution_id]);
      return { ok: true, output: "done" };
    };
    expect(await attempt()).toEqual({ kind: "acted", known: true });
    expect((await status()).under_way).toEqual([]);
  });
});
