import { rm } from "node:fs/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { RunningApp } from "../../src/app/app.ts";
import type { PruneAnswer, StorageReport } from "../../src/contract/storage.ts";
import { alertmanagerBody, post } from "../support/alerts.ts";
import { type Client, person, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { temporaryFolder } from "../support/folder.ts";
import { type SetClock, setClock } from "../support/pipeline-deps.ts";
import { until } from "../support/until.ts";

const DAY = 86_400;
const TABLES = ["receipts", "alerts", "incidents", "timeline", "decisions", "outbox"];

let database: TestDatabase;
let folder: string;
let clock: SetClock;
let app: RunningApp & { admin: Client };

beforeEach(async () => {
  database = await createDatabase();
  folder = await temporaryFolder("retention");
  clock = setClock();
  const kept = { receipts: "2d", alerts: "3d", notices: "2d", repairs: "3d", incidents: "5d" };
  app = await startTestApp(database.url, folder, { retention: { every: "7d", ...kept } }, { clock });
  // The run of the start: what happens next is not its affair.
  await until(
    async () => (await app.admin.get<StorageReport>("/storage")).last_run?.finished,
    "the first run",
  );
});
afterEach(async () => {
  await app.stop();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

/** A day of a service that breaks and recovers five times, and the run that comes after it. */
async function day(): Promise<void> {
  for (let count = 0; count < 5; count += 1) {
    const labels = { alertname: "ShopDown", service: `shop-${count}` };
    const startsAt = clock.now().toISOString();
    await post(app.url, alertmanagerBody([{ labels, startsAt, summary: "no answer ".repeat(300) }]));
    await post(app.url, alertmanagerBody([{ labels, startsAt, status: "resolved" }]));
  }
  // Nothing of the day is under way when it ends, as fast as days go by here.
  await until(async () => {
    const { rows } = await database.pool.query(`
      select (select count(*) from outbox where routed_at is null) + (select count(*) from dbos.workflow_status
        where status in ('ENQUEUED', 'PENDING')) as n`);
    return rows[0].n === "0";
  }, "what follows from the alerts");
  clock.forward(DAY);
  await app.admin.post("/storage/prune");
}

async function counts(): Promise<Record<string, number>> {
  const all: Record<string, number> = {};
  for (const table of TABLES) {
    await database.pool.query(`vacuum ${table}`);
    const { rows } = await database.pool.query(`select count(*)::int n from ${table}`);
    all[table] = rows[0].n;
  }
  return all;
}

const bytes = async (): Promise<number> => {
  const sizes = TABLES.map((table) => `pg_total_relation_size('${table}')`).join(" + ");
  return Number((await database.pool.query(`select ${sizes} as bytes`)).rows[0].bytes);
};

it("lets the database grow to the size of what is kept, and no further", async () => {
  const days = async (count: number) => {
    for (let at = 0; at < count; at += 1) {
      await day();
      await counts();
    }
  };
  await days(6);
  const [rows, size] = [await counts(), await bytes()];
  expect(rows).toMatchObject({ receipts: 20, alerts: 15, incidents: 25 });
  await days(5);
  expect(await counts()).toEqual(rows);
  // What was deleted is used again: pages may come and go, a day's worth at most.
  expect(await bytes()).toBeLessThanOrEqual(size * 1.1);
  expect(await app.admin.get("/audit/verify")).toMatchObject({ broken_at: null });
});

it("shows what takes room, says what a run would delete, deletes it, and keeps an account of it", async () => {
  for (let count = 0; count < 3; count += 1)
    await post(app.url, alertmanagerBody([{ labels: { alertname: "ShopDown", pod: `shop-${count}` } }]));
  const before = clock.now().toISOString();
  clock.forward(2 * DAY + 1);
  const ada = await person(app, "ada", "viewer");
  const storage = () => ada.get<StorageReport>("/storage");
  const unrouted = () => database.pool.query("select from outbox where routed_at is null");
  await until(async () => (await unrouted()).rowCount === 0, "every notice to be on its way");
  // The run of the start may still be under way.
  await until(async () => (await storage()).last_run?.finished, "the first run to end");
  const report = await storage();
  const group = (name: string) => report.groups.find((one) => one.name === name);
  expect(group("receipts")).toMatchObject({ oldest: before, kept_for: 2 * DAY });
  expect(group("receipts")?.bytes).toBeGreaterThan(0);
  expect(group("audit")).toMatchObject({ kept_for: null });
  expect(group("workflows")?.bytes).toBeGreaterThan(0);
  expect(group("other")?.bytes).toBeGreaterThan(0);
  const sum = report.groups.reduce((total, one) => total + one.bytes, 0);
  expect(report.database_bytes).toBeGreaterThan(sum);
  // The database is not in the data directory here.
  expect(report.disk_free_bytes).toBeNull();
  expect(report.last_run).toMatchObject({ finished: true, deleted: {}, asked_by: null });

  expect((await ada.call("POST", "/storage/prune", { dry_run: true })).status).toBe(403);
  const would = await app.admin.post<PruneAnswer>("/storage/prune", { dry_run: true });
  expect(would).toMatchObject({ dry_run: true, rows: { receipts: 3 } });
  expect(await database.pool.query("select from receipts")).toHaveProperty("rowCount", 3);
  const did = await app.admin.post<PruneAnswer>("/storage/prune");
  expect(did).toMatchObject({ dry_run: false, finished: true, rows: would.rows });
  const { last_run } = await ada.get<StorageReport>("/storage");
  expect(last_run).toMatchObject({ finished: true, deleted: did.rows, asked_by: "admin", error: null });
  // A run that finds nothing is no news.
  await app.admin.post("/storage/prune");
  const entries = await database.pool.query(
    "select actor, data from audit_entries where action like 'retention%'",
  );
  const data = { deleted: did.rows, asked_by: "admin", finished: true };
  expect(entries.rows).toEqual([{ actor: "retention (system)", data }]);
});
