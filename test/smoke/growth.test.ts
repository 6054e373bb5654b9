import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tableSizes } from "../../src/db/storage.ts";
import { insertReceipts } from "../../src/intake/store.ts";
import { deliverNotices } from "../../src/notification/index.ts";
import { type PipelineDeps, prune, type RetentionTerms, sweep } from "../../src/pipeline/index.ts";
import { processReceipts } from "../../src/pipeline/intake/process-receipts.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { startIdleEngine } from "../support/idle-engine.ts";
import { type SetClock, setClock, testPipelineDeps } from "../support/pipeline-deps.ts";

const DAY = 86_400;
const TERMS: RetentionTerms = {
  receipts: 2 * DAY,
  dead_letters: 3 * DAY,
  alerts: 4 * DAY,
  notices: 3 * DAY,
  repairs: 4 * DAY,
  repairs_per_key: 100,
  workflows: 2 * DAY,
  incidents: 5 * DAY,
  silences: 5 * DAY,
  batch: 5_000,
};
const DAYS = 30;
/** Each day's storm: kinds of trouble, half of them never seen before, and alerts of each. */
const STORM = { troubles: 20, alerts: 8, garbage: 10 };

const notifier = { id: "anybody", send: async () => ({ ok: true as const }) };

let database: TestDatabase;
let endEngine = async () => {};
let clock: SetClock;
let deps: PipelineDeps;

beforeAll(async () => {
  database = await createDatabase();
  clock = setClock();
  deps = testPipelineDeps(database, clock);
  endEngine = await startIdleEngine(database);
});
afterAll(async () => {
  await endEngine();
  await database.drop();
});

async function receive(...bodies: object[]): Promise<void> {
  const ctx = deps.as("intake");
  const rows = bodies.map((body) => ({
    source: "alertmanager",
    sender: "127.0.0.1",
    body: Buffer.from(JSON.stringify(body)),
    received_at: clock.now(),
  }));
  const seqs = await insertReceipts(ctx, rows);
  const receipts = rows.map((row, index) => ({ ...row, seq: seqs[index] as number }));
  await processReceipts(
    ctx,
    deps,
    receipts.map((receipt, at) => ({ receipt, body: bodies[at] })),
  );
}

/** A storm that begins and ends: what fired is resolved an hour later. */
async function storm(day: number): Promise<void> {
  const startsAt = clock.now().toISOString();
  const alerts = (status: string) =>
    Array.from({ length: STORM.troubles * STORM.alerts }, (_, n) => {
      const trouble = n % STORM.troubles;
      const service = trouble % 2 === 0 ? `service-${trouble}` : `service-${trouble}-of-day-${day}`;
      const labels = { alertname: "ServiceDown", severity: "warning", service, replica: String(n) };
      return { status, labels, annotations: { summary: `${service} does not answer` }, startsAt };
    });
  const garbage = Array.from({ length: STORM.garbage }, (_, n) => ({ nobody: "understands", this: n, day }));
  await receive({ alerts: alerts("firing") }, ...garbage);
  clock.forward(3_600);
  await receive({ alerts: alerts("resolved") });
}

/** What goes on besides: people hear, the sweep runs, and the engine ends its work. */
async function restOfTheDay(): Promise<void> {
  for (const hours of [1, 4, 18]) {
    await sweep(deps);
    while ((await deliverNotices(deps.as("pipeline"), [notifier])) > 0);
    clock.forward(hours * 3_600);
  }
  const at = clock.now().getTime();
  await database.pool.query(
    `update dbos.workflow_status set status = 'SUCCESS', created_at = $1, completed_at = $1 where status = 'ENQUEUED'`,
    [at],
  );
  await prune(deps.as("retention"), TERMS, { next: async () => true, deleted: () => {} });
  // What autovacuum does on its own, at a moment of the test's choosing.
  await database.pool.query("vacuum");
}

describe("a month of storms", () => {
  it("leaves a database that has stopped growing; the ledger alone grows, with what happened", {
    timeout: 600_000,
  }, async () => {
    const sizes: { rest: number; ledger: number }[] = [];
    for (let day = 0; day < DAYS; day += 1) {
      await storm(day);
      await restOfTheDay();
      const tables = await tableSizes(deps.as("retention"));
      const bytes = (of: boolean) =>
        tables
          .filter(({ table }) => (table === "audit_entries") === of)
          .reduce((sum, one) => sum + one.bytes, 0);
      sizes.push({ rest: bytes(false), ledger: bytes(true) });
    }
    const most = (from: number, to: number) => Math.max(...sizes.slice(from, to).map((one) => one.rest));
    const kilobytes = (value: number) => Math.round(value / 1024);
    process.stdout.write(
      `kB without the ledger: ${sizes.map((one) => kilobytes(one.rest)).join(" ")}; the ledger: ${kilobytes(sizes[0]?.ledger ?? 0)} to ${kilobytes(sizes.at(-1)?.ledger ?? 0)}\n`,
    );
    expect(sizes[4]?.rest).toBeGreaterThan(sizes[0]?.rest ?? 0);
    expect(most(20, 30)).toBeLessThanOrEqual(1.05 * most(10, 20));
    const { rows } = await database.pool.query(
      "select count(*)::int n, min(first_received_at) oldest from alerts",
    );
    expect(rows[0].n).toBeLessThanOrEqual(6 * STORM.troubles * STORM.alerts);
    expect(rows[0].oldest.getTime()).toBeGreaterThan(clock.now().getTime() - 7 * DAY * 1000);
  });
});
