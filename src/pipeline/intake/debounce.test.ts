import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { type SetClock, setClock, testPipelineDeps } from "../../../test/support/pipeline-deps.ts";
import { seededRandom } from "../../../test/support/random.ts";
import { replay } from "../../intake/index.ts";
import { insertReceipts, waitingReceipts } from "../../intake/store.ts";
import type { PipelineDeps } from "../types.ts";
import { processReceipts } from "./process-receipts.ts";

let database: TestDatabase;
let clock: SetClock;
let deps: PipelineDeps;
let begin: number;
let target: string;
let count = 0;

beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());
beforeEach(() => {
  clock = setClock();
  begin = +clock.now();
  // All of them were received before they are processed.
  clock.forward(1_000);
  deps = testPipelineDeps(database, clock);
  count += 1;
  target = `target-${count}`;
});

type Signal = {
  /** Seconds after the test's begin at which it was received. */
  at: number;
  severity?: string;
  status?: string;
  message?: string;
  labels?: Record<string, string>;
};

/** Journals signals as they came, and has all of them processed in one go. */
async function receive(...signals: Signal[]): Promise<void> {
  const ctx = deps.as("intake");
  const rows = signals.map(({ at, ...fields }) => ({
    source: "signal",
    sender: "hmac",
    body: Buffer.from(JSON.stringify({ alert_name: "QueueGrows", severity: "warning", target, ...fields })),
    received_at: new Date(begin + at * 1000),
  }));
  const seqs = await insertReceipts(ctx, rows);
  await processReceipts(
    ctx,
    deps,
    rows.map((row, index) => ({
      receipt: { ...row, seq: seqs[index] as number },
      body: JSON.parse(row.body.toString()),
    })),
  );
}

async function incident() {
  const { rows } = await database.pool.query<{
    hit_count: number;
    severity: string;
    status: string;
    last_seen: Date;
  }>("select hit_count, severity, status, last_seen from incidents where $1 = any (affected_services)", [
    target,
  ]);
  expect(rows).toHaveLength(1);
  return rows[0]!;
}

const deliveries = async () =>
  (
    await database.pool.query<{ deliveries: number }>(
      "select deliveries from alerts where target_resource = $1 order by starts_at",
      [target],
    )
  ).rows.map((row) => row.deliveries);

describe("signals of one fingerprint", () => {
  it.each(["in one batch", "one by one", "in a seeded order"])(
    "count once within three minutes of one that was counted, by when they were received: %s",
    async (how) => {
      const signals = [0, 60, 179, 180, 300, 359, 360].map((at) => ({ at, message: `seen at ${at}` }));
      const random = seededRandom();
      if (how === "in one batch") await receive(...signals);
      else if (how === "one by one") for (const one of signals) await receive(one);
      // Each counts on the one that it is nearest to; the first of each three minutes comes first.
      else {
        const [first, later] = [
          signals.filter(({ at }) => at % 180 === 0),
          signals.filter(({ at }) => at % 180),
        ];
        for (const one of first) await receive(one);
        for (const one of later.sort(() => (random(1)[0] as number) - 128)) await receive(one);
      }
      expect(await incident()).toMatchObject({ hit_count: 3 });
      expect((await deliveries()).reduce((sum, n) => sum + n, 0)).toBe(signals.length);
    },
  );

  it("touch the incident when they are not counted", async () => {
    await receive({ at: 0 });
    clock.forward(100);
    await receive({ at: 0 });
    expect(await incident()).toMatchObject({ hit_count: 1, last_seen: clock.now() });
  });

  it("count by what the database says, whatever process took the ones before", async () => {
    await receive({ at: 0 });
    deps = testPipelineDeps(database, clock);
    await receive({ at: 100 });
    expect(await incident()).toMatchObject({ hit_count: 1 });
  });

  it("are about one trouble, whatever else their words and varying labels say", async () => {
    await receive(
      { at: 0, labels: { replica: "a" } },
      { at: 1, labels: { replica: "b" }, message: "other words" },
    );
    expect(await incident()).toMatchObject({ hit_count: 1 });
  });

  it("are counted when they get worse: a debounce hides no rise", async () => {
    await receive({ at: 0, severity: "info" });
    await receive(
      { at: 10, severity: "critical" },
      { at: 11, severity: "info" },
      { at: 12, severity: "critical" },
    );
    expect(await incident()).toMatchObject({ hit_count: 2, severity: "P0" });
  });

  it("are counted again after their end, and what came before the end is part of what ended", async () => {
    await receive({ at: 0 });
    await receive({ at: 10, status: "resolved" });
    expect(await incident()).toMatchObject({ status: "resolved" });
    await receive({ at: 5 });
    expect(await incident()).toMatchObject({ status: "resolved", hit_count: 1 });
    await receive({ at: 20 });
    expect(await incident()).toMatchObject({ status: "investigating", hit_count: 2 });
  });

  it("end and begin again within one batch in the order they came", async () => {
    await receive({ at: 0 }, { at: 1 }, { at: 2, status: "resolved" }, { at: 3 }, { at: 4 });
    expect(await incident()).toMatchObject({ status: "investigating", hit_count: 2 });
    expect(await deliveries()).toEqual([2, 2]);
    await receive({ at: 5, status: "resolved" });
    expect(await incident()).toMatchObject({ status: "resolved" });
  });

  it("do not count again when a dead letter that held one is replayed", async () => {
    const body = { alerts: [{ alert_name: "QueueGrows", severity: "warning", target }, "no alert"] };
    const ctx = deps.as("intake");
    const row = {
      source: "signal",
      sender: "hmac",
      body: Buffer.from(JSON.stringify(body)),
      received_at: new Date(begin),
    };
    const [seq = 0] = await insertReceipts(ctx, [row]);
    await processReceipts(ctx, deps, [{ receipt: { ...row, seq }, body }]);
    await receive({ at: 100 });
    await replay(
      { ...ctx, actor: { kind: "person", person_id: "P", name: "p", role: "responder", token_id: "T" } },
      { dead_letter_id: String(seq) },
    );
    const [again] = await waitingReceipts(ctx, seq, 1);
    await processReceipts(ctx, deps, [{ receipt: again!, body }]);
    expect(await incident()).toMatchObject({ hit_count: 1 });
    expect(await deliveries()).toEqual([2]);
  });
});
