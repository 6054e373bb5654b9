import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { type SetClock, setClock, testPipelineDeps } from "../../../test/support/pipeline-deps.ts";
import type { Receipt } from "../../intake/index.ts";
import { insertReceipts } from "../../intake/store.ts";
import { addSeconds } from "../../lib/clock.ts";
import { IntakeUptime } from "../intake/intake-uptime.ts";
import { processReceipts } from "../intake/process-receipts.ts";
import type { PipelineDeps } from "../types.ts";
import { expireStaleAlerts } from "./expire-stale-alerts.ts";

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

const rows = async <T = Record<string, unknown>>(text: string) =>
  (await database.pool.query(text)).rows as T[];
const incidents = () => rows("select status, hit_count from incidents order by created_at, incident_id");
const alerts = () => rows("select status, deliveries from alerts order by first_received_at, alert_id");

const START = "2026-05-04T07:59:00Z";
type Sent = { alertname?: string; startsAt?: string; endsAt?: string | undefined };
const alert = ({ alertname = "WebDown", startsAt = START, endsAt }: Sent = {}) => ({
  labels: { alertname, service: "web", severity: "warning" },
  startsAt,
  ...(endsAt === undefined ? {} : { endsAt }),
});
/** Seconds from now, as senders write it. */
const inSeconds = (seconds: number) => addSeconds(clock.now(), seconds).toISOString();

async function journalled(bodies: unknown[], replays = 0) {
  const receipts = bodies.map((body) => ({
    source: "prometheus",
    sender: "127.0.0.1",
    body: Buffer.from(JSON.stringify(body)),
    received_at: clock.now(),
  }));
  const seqs = await insertReceipts(deps.as("intake"), receipts);
  return receipts.map((receipt, index) => ({
    receipt: { ...receipt, replays, seq: seqs[index] as number } as Receipt,
    body: bodies[index],
  }));
}
async function send(...sent: Sent[]): Promise<void> {
  await processReceipts(deps.as("intake"), deps, await journalled([sent.map(alert)]));
}
/** Time passes, with a sweep at least every half minute. */
async function pass(seconds: number): Promise<void> {
  for (let left = seconds; left > 0; left -= 30) {
    clock.forward(Math.min(left, 30));
    await expireStaleAlerts(deps);
  }
}

describe("an alert that Prometheus repeats while it fires", () => {
  it("is one instance however often, by whom and with which end it is sent, and ends with its end", async () => {
    await expireStaleAlerts(deps);
    for (let minute = 0; minute < 10; minute += 1) {
      // The other of a pair saw it begin a little later.
      await send({ endsAt: inSeconds(240) }, { startsAt: "2026-05-04T07:59:20Z", endsAt: inSeconds(230) });
      await pass(60);
    }
    expect(await incidents()).toEqual([{ status: "investigating", hit_count: 1 }]);
    expect(await alerts()).toEqual([{ status: "firing", deliveries: 20 }]);
    const endsAt = inSeconds(-1);
    // It goes on saying so for a quarter of an hour.
    for (let minute = 0; minute < 3; minute += 1) await send({ endsAt });
    expect(await incidents()).toEqual([{ status: "resolved", hit_count: 1 }]);
    expect(await rows("select status, ends_at from alerts")).toEqual([
      { status: "resolved", ends_at: new Date(endsAt) },
    ]);
    // Back again: another instance, of the same incident.
    await send({ startsAt: inSeconds(-1), endsAt: inSeconds(240) });
    expect(await incidents()).toEqual([{ status: "investigating", hit_count: 2 }]);
  });

  it("goes on when the end of an earlier time comes late", async () => {
    await send({ startsAt: inSeconds(-10), endsAt: inSeconds(240) });
    await send({ startsAt: inSeconds(-90), endsAt: inSeconds(-30) });
    expect(await incidents()).toEqual([{ status: "investigating", hit_count: 1 }]);
  });

  it("is over when it is not sent again before its end, or for 5 minutes where it had none", async () => {
    await expireStaleAlerts(deps);
    await send({ alertname: "WithEnd", endsAt: inSeconds(240) }, { alertname: "WithoutEnd" });
    await pass(240);
    expect((await incidents()).map((one) => one.status)).toEqual(["investigating", "investigating"]);
    await pass(30);
    expect(await rows("select title, status from incidents where status = 'resolved'")).toMatchObject([
      { title: expect.stringContaining("WithEnd") },
    ]);
    await pass(60);
    expect((await incidents()).map((one) => one.status)).toEqual(["resolved", "resolved"]);
    expect(await rows("select text from timeline where text like '%no longer sent%'")).toHaveLength(2);
    // It was only the way to us that was broken: what is sent again fires again.
    await send({ alertname: "WithEnd", endsAt: inSeconds(240) });
    expect(await rows("select status from alerts where alert_name = 'WithEnd' order by status")).toEqual([
      { status: "firing" },
      { status: "resolved" },
    ]);
  });

  it("does not end because we were down: its sender gets its turn first", async () => {
    await expireStaleAlerts(deps);
    await send(
      { alertname: "GoesOn", endsAt: inSeconds(240) },
      { alertname: "Gone", endsAt: inSeconds(240) },
    );
    clock.forward(3_600);
    deps = { ...deps, intake_uptime: new IntakeUptime(() => 5) };
    await expireStaleAlerts(deps);
    await pass(120);
    expect((await incidents()).map((one) => one.status)).toEqual(["investigating", "investigating"]);
    await send({ alertname: "GoesOn", endsAt: inSeconds(240) });
    await pass(180);
    expect(await rows("select title from incidents where status <> 'resolved'")).toMatchObject([
      { title: expect.stringContaining("GoesOn") },
    ]);
  });

  it("does not end while what was sent waits in the journal", async () => {
    await expireStaleAlerts(deps);
    await send({ endsAt: inSeconds(60) });
    await pass(50);
    const waiting = await journalled([[alert({ endsAt: inSeconds(240) })]]);
    await pass(120);
    expect(await alerts()).toEqual([{ status: "firing", deliveries: 1 }]);
    await processReceipts(deps.as("intake"), deps, waiting);
    await pass(60);
    expect(await alerts()).toEqual([{ status: "firing", deliveries: 2 }]);
    await pass(240);
    expect(await alerts()).toEqual([{ status: "resolved", deliveries: 2 }]);
  });

  it("takes the latest end of a batch, and knows a replayed receipt for what it was", async () => {
    await expireStaleAlerts(deps);
    const early = [alert({ endsAt: inSeconds(30) })];
    const batch = await journalled([early, [alert({ endsAt: inSeconds(600) })], early]);
    await processReceipts(deps.as("intake"), deps, batch);
    expect(await alerts()).toEqual([{ status: "firing", deliveries: 3 }]);
    await pass(300);
    expect(await alerts()).toEqual([{ status: "firing", deliveries: 3 }]);
    await pass(330);
    expect(await alerts()).toEqual([{ status: "resolved", deliveries: 3 }]);
    await processReceipts(deps.as("intake"), deps, await journalled([early], 1));
    expect(await alerts()).toEqual([{ status: "resolved", deliveries: 3 }]);
  });
});

describe("uptime", () => {
  const at = (seconds: number) => addSeconds(new Date("2026-05-04T08:00:00Z"), seconds);

  it("begins anew after a break, when the clock goes back, and while receipts wait for long", () => {
    const uptime = new IntakeUptime(() => 5);
    const since = (seconds: number, behind = 0) => uptime.since(at(seconds), at(seconds - behind));
    expect(since(0)).toEqual(at(0));
    expect(since(60)).toEqual(at(0));
    expect(since(121)).toEqual(at(121));
    expect(since(130, 30)).toEqual(at(121));
    expect(since(150, 61)).toEqual(at(150));
    expect(since(100)).toEqual(at(100));
    const slow = new IntakeUptime(() => 120);
    expect([0, 120, 480, 841].map((seconds) => slow.since(at(seconds), at(seconds)))).toEqual([
      at(0),
      at(0),
      at(0),
      at(841),
    ]);
  });
});
