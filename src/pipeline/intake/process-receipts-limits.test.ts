import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createDatabase, type TestDatabase } from "../../../test/support/database.ts";
import {
  makePerson,
  type SetClock,
  setClock,
  testPipelineDeps,
} from "../../../test/support/pipeline-deps.ts";
import { generic } from "../../adapters/sources/generic/index.ts";
import { reopen } from "../../incident/index.ts";
import { claimCall, normalise, type Receipt } from "../../intake/index.ts";
import { insertReceipts, waitingReceipts } from "../../intake/store.ts";
import type { PipelineDeps } from "../types.ts";
import { noticeBatches, processReceipts } from "./process-receipts.ts";

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
  deps = { ...deps, sources: [...deps.sources, generic.create()] };
  await database.forget();
});

const START = "2026-05-04T07:00:00Z";
const fire = (deployment: string) => ({
  status: "firing",
  labels: { alertname: "HighCPUUsage", severity: "warning", namespace: "prod", deployment },
  startsAt: START,
});
const end = (alert: object) => ({ ...alert, status: "resolved", endsAt: "2026-05-04T07:59:00Z" });

async function take(json: unknown, more: Partial<Receipt> = {}) {
  const ctx = deps.as("intake");
  const body = Buffer.from(JSON.stringify(json));
  const row = { source: "alertmanager", sender: "test", body, received_at: clock.now(), ...more };
  const [seq = 0] = await insertReceipts(ctx, [row]);
  await processReceipts(ctx, deps, [{ receipt: { ...row, seq }, body: json }]);
  clock.forward(1);
}
const takeAlerts = (...alerts: object[]) => take({ version: "4", alerts });
const statuses = async () =>
  (await database.pool.query("select status from incidents order by created_at")).rows.map(
    (row) => row.status,
  );

describe("a body", () => {
  it("may open more incidents than a statement takes parameters for", async () => {
    await takeAlerts(...Array.from({ length: 2_500 }, (_, n) => fire(`web${n.toString(36)}x`)));
    expect(await statuses()).toHaveLength(2_500);
  });

  it("may say ten thousand times in turn that one alert fires and is over", () => {
    const [firing] = normaliseAll(fire("web"));
    const [over] = normaliseAll(end(fire("web")));
    const alerts = Array.from({ length: 10_000 }, (_, n) => ({
      ...(n % 2 ? over : firing),
      ...{ sender: "s", received_at: clock.now(), times: 1 },
    })) as never[];
    const parts = noticeBatches(alerts).map((batch) => batch.map(({ status, times }) => ({ status, times })));
    expect(parts.map((part) => part.map(({ status }) => status))).toEqual([
      ["firing"],
      ["resolved"],
      ["firing"],
      ["resolved"],
    ]);
    expect(parts.flat().reduce((sum, { times }) => sum + times, 0)).toBe(10_000);
    // What was said last is what holds.
    expect(parts.at(-1)).toMatchObject([{ status: "resolved" }]);
  });

  it("may say so of calls that are counted", () => {
    const decoded = generic.create().decode({
      alerts: Array.from({ length: 10_000 }, (_, n) => ({
        alert_type: "disk_full",
        status: n % 4 === 0 ? "resolved" : "firing",
      })),
    });
    if (!decoded.ok) throw new Error("this is no body");
    const notices = { sender: "s", place: "p", received_at: clock.now(), replayed: false, times: 1 };
    const alerts = decoded.alerts.map((one) => ({
      ...normalise(one, "generic", clock.now(), deps.classification, "call"),
      ...notices,
    }));
    const parts = noticeBatches(alerts);
    expect(parts).toHaveLength(4);
    expect(parts.at(-1)?.map((one) => one.status)).toEqual(["firing", "firing", "firing"]);
  });

  it("is read from the journal with as many others as are quickly read, and alone when it is large", async () => {
    const row = (size: number) => ({
      source: "alertmanager",
      sender: "test",
      body: Buffer.alloc(size, "x"),
      received_at: clock.now(),
    });
    const ctx = deps.as("intake");
    const seqs: number[] = [];
    for (const megabytes of [20, 4, 3, 4]) seqs.push(...(await insertReceipts(ctx, [row(megabytes << 20)])));
    const look = async () => (await waitingReceipts(ctx, Number.MAX_SAFE_INTEGER, 200)).map((one) => one.seq);
    expect(await look()).toEqual(seqs.slice(0, 1));
    await database.pool.query("update receipts set state = 'processed' where seq = $1", [seqs[0]]);
    expect(await look()).toEqual(seqs.slice(1, 3));
  });
});

function normaliseAll(...alerts: object[]) {
  const decoded = deps.sources[0]?.decode({ version: "4", alerts });
  if (decoded?.ok !== true) throw new Error("this is no body");
  return decoded.alerts.map((one) => normalise(one, "alertmanager", clock.now(), deps.classification));
}

describe("an incident that a person reopened", () => {
  it("is not ended by what its sender says again", async () => {
    const alert = fire("web");
    await takeAlerts(alert);
    await takeAlerts(end(alert));
    const { rows } = await database.pool.query("select incident_id from incidents");
    const actor = await makePerson(deps.as("intake"), "ada", "responder");
    await reopen({ ...deps.as("intake"), actor }, rows[0]);
    await takeAlerts(end(alert));
    await takeAlerts(alert);
    expect(await statuses()).toEqual(["investigating"]);
  });
});

describe("a call under an Idempotency-Key", () => {
  const full = { alert_type: "disk_full", severity: "warning", target_resource: "host-1" };
  const over = { ...full, status: "resolved" };

  async function call(json: object, idempotency_key: string) {
    const sent = { source: "generic", sender: "hmac", idempotency_key };
    const body = Buffer.from(JSON.stringify(json));
    const received_at = await claimCall(deps.as("intake"), { ...sent, body });
    await take(json, { ...sent, received_at });
  }

  it("counts again when the key is used again after it was forgotten", async () => {
    await call(full, "k");
    await call(full, "k");
    await call(over, "k2");
    expect(await statuses()).toEqual(["resolved"]);
    clock.forward(25 * 3_600);
    await call(full, "k");
    expect(await statuses()).toEqual(["resolved", "investigating"]);
  });

  it("that says again what is over does not end what began after it", async () => {
    await call(full, "k");
    await call(over, "r");
    await call(full, "k3");
    await call(over, "r");
    expect(await statuses()).toEqual(["investigating"]);
  });
});
