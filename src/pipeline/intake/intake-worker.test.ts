import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { alertmanagerBody } from "../../../test/support/alerts.ts";
import { createDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { makePerson, setClock, testPipelineDeps } from "../../../test/support/pipeline-deps.ts";
import { until } from "../../../test/support/until.ts";
import { replay } from "../../intake/index.ts";
import { insertReceipts } from "../../intake/store.ts";
import type { PipelineDeps } from "../types.ts";
import { IntakeWorker } from "./intake-worker.ts";

let database: TestDatabase;
let deps: PipelineDeps;
let worker: IntakeWorker;

const newWorker = () =>
  new IntakeWorker(
    () => deps,
    () => false,
    0.05,
    20,
  );

beforeEach(async () => {
  database = await createDatabase();
  deps = testPipelineDeps(database, setClock());
  worker = newWorker();
});
afterEach(async () => {
  await worker.stop();
  await database.drop();
});

const bodyOf = (...names: string[]) =>
  Buffer.from(
    JSON.stringify(alertmanagerBody(names.map((name) => ({ labels: { alertname: name, service: name } })))),
  );

async function journalledAs(sender: string, body: Buffer) {
  const ctx = database.ctx();
  const row = { source: "alertmanager", sender, body, received_at: ctx.clock.now() };
  const [seq = 0] = await insertReceipts(ctx, [row]);
  return { ...row, seq };
}
const journalled = (alertname: string) => journalledAs("test", bodyOf(alertname));

type Row = { seq: number; state: string; tries: number; error: string | null; alert_count: number | null };
const receipts = async (): Promise<Row[]> =>
  (await database.pool.query("select seq::int, state, tries, error, alert_count from receipts order by seq"))
    .rows;
const states = async () => (await receipts()).map((row) => row.state);
const settled = () =>
  until(async () => !(await states()).includes("received"), "every receipt to be settled");

/** Has every insert of such an alert fail with this state. */
async function refuse(when: string, code = "58000"): Promise<void> {
  await database.pool.query(`
    create or replace function refuse() returns trigger language plpgsql as $$
      begin raise exception 'too much' using errcode = '${code}'; end $$;
    create trigger refuse before insert on alerts for each row when (${when}) execute function refuse()`);
}
const allow = () => database.pool.query("drop trigger refuse on alerts");

describe("the intake worker", () => {
  it("takes up receipts that an earlier process has left", async () => {
    await journalled("Left");
    await worker.start();
    await until(async () => (await states())[0] === "processed", "the receipt to be processed");
    await until(() => worker.backlog() === 0, "the backlog to be empty");
  });

  it("takes up many at once, however many pages they are", async () => {
    for (let n = 0; n < 250; n += 1) await journalled(`Left${n}`);
    await worker.start();
    await settled();
    expect(new Set(await states())).toEqual(new Set(["processed"]));
  });

  it("understands so many alerts of one body, keeps the rest in its dead letter, and takes it up again", async () => {
    const names = Array.from({ length: 30 }, (_, n) => `Alert${n}`);
    deps = { ...deps, alerts_per_body: 20 };
    const { seq } = await journalledAs("test", bodyOf(...names));
    await worker.start();
    await settled();
    const [letter] = await receipts();
    expect(letter).toMatchObject({ state: "dead", alert_count: 20 });
    expect(letter?.error).toContain("truncated: of 30 entries the first 20 are read");
    deps = { ...deps, alerts_per_body: 40 };
    const actor = await makePerson(deps.as("intake"), "ada", "responder");
    await replay(database.ctx(actor), { dead_letter_id: String(seq) });
    await settled();
    expect(await receipts()).toMatchObject([{ state: "processed", alert_count: 30 }]);
    const { rows } = await database.pool.query(
      "select count(*)::int as n, sum(deliveries)::int as d from alerts",
    );
    expect(rows).toEqual([{ n: 30, d: 30 }]);
  });
});

describe("a receipt that cannot be processed", () => {
  it.each(["58000", "57014", "40001", "22000"])(
    "is a dead letter after a few tries (SQLSTATE %s), and the others go on all the while",
    async (code) => {
      await refuse("new.alert_name = 'Poison'", code);
      for (const name of ["Before", "Poison", "After"]) await journalled(name);
      await worker.start();
      await until(
        async () => (await states()).filter((one) => one === "processed").length === 2,
        "the others",
      );
      // What succeeds beside it does not count for it.
      for (let n = 0; !(await states()).includes("dead"); n += 1) {
        const receipt = await journalled(`Another${n}`);
        await worker.take(receipt, undefined);
        expect((await receipts()).find((row) => row.seq === receipt.seq)?.state).toBe("processed");
      }
      const [, poison] = await receipts();
      expect(poison).toMatchObject({ state: "dead", error: "too much" });
    },
  );

  it("counts its tries in the journal, so that one that kills the process is given up after restarts", async () => {
    await journalled("Deadly");
    await journalled("Tried");
    await database.pool.query("update receipts set tries = 5 where seq = 1");
    await database.pool.query("update receipts set tries = 4 where seq = 2");
    await refuse("new.alert_name = 'Deadly'");
    await worker.start();
    await settled();
    expect(await receipts()).toMatchObject([
      { state: "dead", tries: 6, error: expect.stringContaining("tried 5 times") },
      { state: "processed", tries: 5 },
    ]);
  });

  it("is tried by itself, with its try committed before, once it was left behind twice", async () => {
    for (const name of ["One", "Two"]) await journalled(name);
    await database.pool.query("update receipts set tries = 2");
    const gate = await database.pool.connect();
    try {
      await gate.query("select pg_advisory_lock(4711)");
      await database.pool.query(`
        create function hold() returns trigger language plpgsql as $$
          begin perform pg_advisory_xact_lock(4711); return new; end $$;
        create trigger hold before insert on alerts for each row execute function hold()`);
      await worker.start();
      await until(async () => (await receipts())[0]?.tries === 3, "the first to be tried");
      expect((await receipts()).map(({ tries, state }) => [tries, state])).toEqual([
        [3, "received"],
        [2, "received"],
      ]);
    } finally {
      await gate.query("select pg_advisory_unlock(4711)");
      gate.release();
    }
    await settled();
    expect((await receipts()).map(({ tries, state }) => [tries, state])).toEqual([
      [3, "processed"],
      [3, "processed"],
    ]);
  });

  it("loses no try, and nothing else, while nothing can be taken in at all", async () => {
    let looks = 0;
    await refuse("true", "53100");
    for (const name of ["One", "Two", "Three"]) await journalled(name);
    const { as } = deps;
    deps = {
      ...deps,
      as(name) {
        looks += 1;
        return as(name);
      },
    };
    await worker.start();
    const before = looks;
    // Several rounds of failures.
    await until(() => looks > before + 60, "it to be tried again and again", 60);
    expect(new Set((await receipts()).map(({ state, tries }) => `${state}, try ${tries}`))).toEqual(
      new Set(["received, try 2"]),
    );
    await allow();
    await settled();
    expect(new Set(await states())).toEqual(new Set(["processed"]));
    expect(Math.max(...(await receipts()).map((row) => row.tries))).toBeLessThanOrEqual(3);
  });
});

describe("another sender", () => {
  it("does not wait for a receipt that is held up, whose own sender's come after it", async () => {
    await database.pool.query(`
      create function hold() returns trigger language plpgsql as $$
        begin perform pg_advisory_xact_lock(4711); return new; end $$;
      create trigger hold before insert on alerts for each row when (new.alert_name = 'Slow') execute function hold()`);
    const gate = await database.pool.connect();
    await worker.start();
    try {
      await gate.query("select pg_advisory_lock(4711)");
      const large = Buffer.concat([bodyOf("Slow"), Buffer.alloc(20_000, " ")]);
      const slow = worker.take(await journalledAs("slow", large), undefined);
      const next = worker.take(await journalledAs("slow", bodyOf("Next")), undefined);
      const other = worker.take(await journalledAs("other", bodyOf("Other")), undefined);
      expect(await other).toMatchObject({ incident_id: expect.stringMatching(/^INC-/) });
      expect(await states()).toEqual(["received", "received", "processed"]);
      await gate.query("select pg_advisory_unlock(4711)");
      expect(await slow).toMatchObject({ incident_id: expect.stringMatching(/^INC-/) });
      expect(await next).toMatchObject({ incident_id: expect.stringMatching(/^INC-/) });
    } finally {
      gate.release(true);
    }
  });

  it("has its turn between the parts of a large body", async () => {
    await worker.start();
    const large = bodyOf(...Array.from({ length: 1_500 }, (_, n) => `Storm${n}`));
    const storm = worker.take(await journalledAs("storm", large), undefined);
    // As large that it is served in turn as well.
    const other = bodyOf(...Array.from({ length: 50 }, (_, n) => `Other${n}`));
    const order: string[] = [];
    void storm?.then(() => order.push("storm"));
    await worker.take(await journalledAs("other", other), undefined)?.then(() => order.push("other"));
    await worker
      .take(await journalledAs("third", bodyOf("Third")), undefined)
      ?.then(() => order.push("third"));
    expect((await storm)?.results).toHaveLength(1_500);
    expect(order).toEqual(["other", "third", "storm"]);
    expect((await receipts()).map((row) => row.alert_count)).toEqual([1_500, 50, 1]);
  });
});
