import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { pastCalls } from "../../../test/support/past-calls.ts";
import { type SetClock, setClock, testPipelineDeps } from "../../../test/support/pipeline-deps.ts";
import { SEED, seededRandom } from "../../../test/support/random.ts";
import { until } from "../../../test/support/until.ts";
import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { activeSince } from "../../incident/index.ts";
import { labelsOfIncidents, noticeBatches, type Receipt } from "../../intake/index.ts";
import { knownOutages } from "../../intake/outage/store.ts";
import { insertReceipts } from "../../intake/store.ts";
import type { PipelineDeps } from "../types.ts";
import { type Delivery, decodeReceipt } from "./decode-receipt.ts";
import { IntakeWorker } from "./intake-worker.ts";
import { receiptsInParts } from "./process-receipts.ts";

let database: TestDatabase;
let clock: SetClock;
let deps: PipelineDeps;

beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  clock = setClock();
  deps = testPipelineDeps(database, clock);
  await database.forget();
});

type Body = { target_resource: string; status?: string; [field: string]: unknown };
// Whatever it is about, it is one alert by its sender's name for it.
const cron = (target: string, more: object = {}): Body => ({
  ...{ alert_type: "Cron", severity: "warning", target_resource: target, fingerprint: "cron", message: "x" },
  ...more,
});
const over = (more: object = {}) => cron("api", { status: "resolved", ...more });

async function journalled(body: object, sender = "hmac"): Promise<Delivery & { receipt: Receipt }> {
  const row = {
    source: "generic",
    sender,
    body: Buffer.from(JSON.stringify(body)),
    received_at: clock.now(),
  };
  const [seq = 0] = await insertReceipts(deps.as("intake"), [row]);
  clock.forward(1);
  return { receipt: { ...row, seq }, body };
}

/** Has them understood in one go; only so many parts of them where the process is to end then. */
async function take(deliveries: Delivery[], parts = Number.POSITIVE_INFINITY): Promise<boolean> {
  const work = receiptsInParts(deps.as("intake"), deps, deliveries);
  for (let n = 0; n < parts; n += 1) if ((await work.next()).done) return true;
  await work.return(new Map());
  return false;
}
const send = async (...bodies: object[]) => {
  const all: Delivery[] = [];
  for (const body of bodies) all.push(await journalled(body));
  return take(all);
};

const rows = async <T>(sql: string, values: unknown[] = []): Promise<T[]> =>
  (await database.pool.query(sql, values)).rows as T[];
const number = async (sql: string) => (await rows<{ n: number }>(`select (${sql})::int as n`))[0]?.n;

const age = (count: number) => pastCalls(rows, count);

type Told = { hit_count: number; status: string; ends: number; told: number; lines: number };
/** What people see of the incidents. */
const told = () =>
  rows<Told>(
    `select hit_count, status, (select count(*)::int from resolutions r where r.incident_id = i.incident_id) as ends,
            (select count(*)::int from outbox o where o.incident_id = i.incident_id and topic = 'incident.resolved') as told,
            (select count(*)::int from timeline t where t.incident_id = i.incident_id and text ilike '%resolved%') as lines
       from incidents i order by affected_services`,
  );
const open = () => number("select count(*) from alerts where status <> 'resolved'");
/** Of each transaction how many calls it was the last to change. */
const changed = async () =>
  (await rows<{ n: number }>("select count(*)::int as n from alerts group by xmin::text order by 1")).map(
    (row) => row.n,
  );

describe("the end of many open calls", () => {
  it("takes a transaction for each thousand of them at most, and is told once of each incident", async () => {
    await send(cron("web"));
    await send(cron("api"));
    await age(3_000);
    expect(await open()).toBe(3_002);
    await send(over());
    expect(await open()).toBe(0);
    const once = { status: "resolved", ends: 1, told: 1 };
    expect(await told()).toMatchObject([{ ...once, hit_count: 3_001 }, once]);
    const parts = await changed();
    expect(Math.max(...parts)).toBeLessThanOrEqual(1_000);
    expect(parts.reduce((sum, n) => sum + n, 0)).toBe(3_002);
    expect(await rows("select distinct ends_at from alerts")).toHaveLength(1);
  });

  it("goes on where it was when the process ends in the middle, and tells nothing twice", async () => {
    await send(cron("web"));
    await send(cron("api"));
    await age(2_000);
    const end = await journalled(over());
    let left = (await open()) as number;
    expect(await take([end], 1)).toBe(false);
    expect(await open()).toBeLessThan(left);
    left = (await open()) as number;
    expect(left).toBeGreaterThan(50);
    const state = () => rows("select state from receipts where seq = $1", [end.receipt.seq]);
    expect(await state()).toEqual([{ state: "received" }]);
    for (let parts = 1; !(await take([end], parts)); parts += 1)
      expect(await open()).toBeLessThanOrEqual(left);
    expect(await state()).toEqual([{ state: "processed" }]);
    expect(await open()).toBe(0);
    const once = { status: "resolved", ends: 1, told: 1 };
    expect(await told()).toMatchObject([{ ...once, hit_count: 2_001 }, once]);
    // Said again it is over already.
    await send(over());
    expect(await told()).toMatchObject([{ ...once, hit_count: 2_001 }, once]);
  });

  it("comes after what was said before it, and before what was said since, in one batch too", async () => {
    for (const many of [0, 250]) {
      await database.forget();
      await send(cron("api"));
      await age(many);
      await send(cron("api"), over(), cron("api"));
      expect(await told()).toMatchObject([
        { hit_count: many + 3, status: "investigating", ends: 1, told: 1 },
      ]);
      expect(await open()).toBe(1);
    }
  });

  it.each([0, 1])(
    "ends none that came after it, when it is understood late (replayed: %s)",
    async (replays) => {
      await send(cron("web"));
      const late = await journalled(over());
      await send(cron("api"));
      await age(250);
      await take([{ ...late, receipt: { ...late.receipt, replays } }]);
      expect(await open()).toBe(251);
      expect(await told()).toMatchObject([{ status: "investigating" }, { status: "resolved" }]);
    },
  );

  it(`is as that of a few, whatever is said before and after (AWOOOI_TEST_SEED=${SEED})`, async () => {
    const random = seededRandom();
    const draw = (n: number) => (random(1)[0] as number) % n;
    const ends = ["2026-05-04T08:00:20Z", "2026-05-04T07:00:00Z", "2026-05-04T09:00:00Z", undefined];
    for (let run = 0; run < 5; run += 1) {
      const batches = Array.from({ length: 1 + draw(3) }, () =>
        Array.from({ length: 1 + draw(4) }, () => ({
          sender: `hmac${draw(2)}`,
          body: draw(2) === 0 ? cron("api") : over({ ends_at: ends[draw(4)] }),
        })),
      );
      const seen: unknown[] = [];
      for (const many of [4, 204]) {
        clock = setClock();
        deps = testPipelineDeps(database, clock);
        await database.forget();
        await send(cron("api"));
        await send(over());
        await send(cron("api"));
        await age(many);
        const before = (await told())[0]?.hit_count ?? 0;
        for (const batch of batches) {
          const all: Delivery[] = [];
          for (const { sender, body } of batch) all.push(await journalled(body, sender));
          await take(all);
        }
        const after = await rows(
          `select status, ends_at, ended_with is not null as by_notice from alerts where outage > ${many + 2} order by outage`,
        );
        const left = await number(
          `select count(*) from alerts where status = 'firing' and outage <= ${many + 2}`,
        );
        const incident = (await told()).map((one) => ({ ...one, hit_count: one.hit_count - before }));
        seen.push({ after, left: left === 0 ? "none" : left === many + 1 ? "all" : left, incident });
      }
      expect([batches, seen[1]]).toEqual([batches, seen[0]]);
    }
  });
});

describe("what is looked at for a notice", () => {
  /** Rows of alerts that are read by this. */
  const readBy = (look: (tx: Ctx) => Promise<unknown>) =>
    transaction(deps.as("intake"), async (tx) => {
      const so_far = async () =>
        (
          await tx.db.execute<{ n: number }>(
            "select (seq_tup_read + coalesce(idx_tup_fetch, 0))::int as n from pg_stat_xact_user_tables where relname = 'alerts'",
          )
        ).rows[0]?.n ?? 0;
      const before = await so_far();
      await look(tx);
      return (await so_far()) - before;
    });

  /** For what this body says. */
  async function read(body: object): Promise<number> {
    const steps = decodeReceipt(deps, await journalled(body));
    for (let step = steps.next(); ; step = steps.next()) {
      if (!step.done) continue;
      const notices = noticeBatches(step.value.alerts);
      return readBy(async (tx) => {
        for (const batch of notices) await knownOutages(tx, batch);
      });
    }
  }

  it("does not grow with how many calls are open, nor with how many are over", async () => {
    const calls = Array.from({ length: 50 }, () => cron("api"));
    const other = cron("api", { fingerprint: "other" });
    await send(other, { ...other, status: "resolved" }, cron("api"), over(), cron("api"));
    await age(3_000);
    expect(await read(cron("api"))).toBeLessThan(10);
    expect(await read(calls)).toBeLessThan(10);
    await rows("update alerts set status = 'resolved' where outage > 2");
    await rows("analyze alerts");
    for (const body of [cron("api"), over(), calls]) expect(await read(body)).toBeLessThan(10);
  });

  it("nor what others' trouble is related to, and who is told, with how many an incident has", async () => {
    await send(cron("api"));
    await age(3_000);
    const [incident] = await rows<{ incident_id: string }>("select incident_id from incidents");
    const id = incident?.incident_id ?? "";
    expect(await readBy((tx) => activeSince(tx, new Date(0), [], 500))).toBeLessThan(10);
    expect(await readBy((tx) => labelsOfIncidents(tx, [id]))).toBeLessThanOrEqual(400);
    expect((await labelsOfIncidents(deps.as("intake"), [id])).get(id)).toHaveLength(200);
  });
});

describe("a receipt that ends many calls", () => {
  it("waits for a turn of its own, so that others are served at once, and its sender keeps its order", async () => {
    await send(cron("api"));
    await age(1_000);
    const settled: string[] = [];
    const worker = new IntakeWorker(
      () => deps,
      () => false,
      60,
    );
    const note = (name: string, answer: Promise<unknown> | null) =>
      answer?.then((said) => settled.push(`${name}: ${(said as { message: string }).message.split(":")[0]}`));
    const end = await journalled(over());
    const since = await journalled(cron("api"));
    const other = await journalled(cron("shop", { fingerprint: "shop" }), "another");
    const all = [
      note("end", worker.take(end.receipt, end.body)),
      note("since", worker.take(since.receipt, since.body)),
      note("other", worker.take(other.receipt, other.body)),
    ];
    await worker.start();
    const last = await journalled(cron("shop", { fingerprint: "shop" }), "another");
    all.push(note("last", worker.take(last.receipt, last.body)));
    await Promise.all(all);
    await until(() => worker.backlog() === 0, "the backlog to be empty");
    await worker.stop();
    expect(settled.map((one) => one.split(":")[0])).toEqual(["other", "last", "end", "since"]);
    expect(settled[2]).toBe("end: resolved");
    expect(await told()).toMatchObject([
      { hit_count: 1_002, status: "investigating", ends: 1 },
      { hit_count: 2, status: "investigating", ends: 0 },
    ]);
  });
});
