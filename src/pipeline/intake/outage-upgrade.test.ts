import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { type SetClock, setClock, testPipelineDeps } from "../../../test/support/pipeline-deps.ts";
import { pagerduty } from "../../adapters/sources/pagerduty/index.ts";
import { insertReceipts } from "../../intake/store.ts";
import { hashOfTexts } from "../../lib/canonical-json.ts";
import type { PipelineDeps } from "../types.ts";
import { processReceipts } from "./process-receipts.ts";

let database: TestDatabase;
let clock: SetClock;
let deps: PipelineDeps;

beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  clock = setClock();
  const made = testPipelineDeps(database, clock);
  deps = { ...made, sources: [...made.sources, pagerduty.create({ routing_keys: [] })] };
  await database.forget();
});

const rows = async (text: string, values: unknown[] = []) => (await database.pool.query(text, values)).rows;

type Sent = { source: string; body: unknown; replays?: number };
async function send({ source, body, replays = 0 }: Sent): Promise<void> {
  const receipt = { source, sender: "10.0.0.1", body: Buffer.from("{}"), received_at: clock.now() };
  const [seq = 0] = await insertReceipts(deps.as("intake"), [receipt]);
  await processReceipts(deps.as("intake"), deps, [{ receipt: { ...receipt, seq, replays }, body }]);
  clock.forward(10);
}

const START = "2026-05-04T07:00:00.000Z";
const alertmanager = (status: string, startsAt = START, more: object = {}): Sent => ({
  source: "alertmanager",
  body: {
    alerts: [
      { status, startsAt, labels: { alertname: "Full", deployment: "web" }, fingerprint: "f", ...more },
    ],
  },
});
const prometheus = (endsAt: Date): Sent => ({
  source: "prometheus",
  body: [{ labels: { alertname: "Full", deployment: "web" }, startsAt: START, endsAt: endsAt.toISOString() }],
});
const event = (event_action: string): Sent => ({
  source: "pagerduty",
  body: { event_action, dedup_key: "k", payload: { summary: "disk", source: "web", severity: "error" } },
});
const script = (status: string): Sent => ({
  source: "generic",
  body: { status, alert_type: "x", message: "x" },
});

/** The keys that told instances apart, as they were made before outages were counted. */
const keyOf = (...texts: string[]) => hashOfTexts(texts).slice(0, 32);

/**
 * Has every alert that is stored as it was stored before: named by `key` of its source fingerprint and start, with
 * nothing of its outage.
 */
async function downgrade(key: (source_fingerprint: string, starts_at: string) => string): Promise<void> {
  for (const { alert_id, source_fingerprint, starts_at } of await rows("select * from alerts"))
    await rows(
      `update alerts set instance_key = $2, identity = null, outage = null, began_with = null, ended_with = null,
              senders = '{}', ended_by = '{}' where alert_id = $1`,
      [alert_id, key(source_fingerprint, starts_at.toISOString())],
    );
}
const stored = () => rows("select outage, status, deliveries from alerts order by first_received_at, outage");
const hits = async () =>
  (await rows("select hit_count, status from incidents")).map((row) => [row.hit_count, row.status]);

describe("an alert that fires since before outages were counted", () => {
  it.each([
    ["with the start it had", "alertmanager", alertmanager("firing"), alertmanager("resolved")],
    [
      "with another start",
      "alertmanager",
      alertmanager("firing", "2026-05-04T07:30:00.000Z"),
      alertmanager("resolved", "2026-05-04T07:45:00Z"),
    ],
  ])("is the same outage %s, and ends", async (_how, adapter, again, end) => {
    await send(alertmanager("firing"));
    await downgrade((fingerprint, start) => keyOf(adapter, fingerprint, start));
    await send(again);
    expect(await stored()).toEqual([{ outage: 1, status: "firing", deliveries: 2 }]);
    await send(end);
    expect(await stored()).toEqual([{ outage: 1, status: "resolved", deliveries: 3 }]);
    expect(await hits()).toEqual([[1, "resolved"]]);
    await send(alertmanager("firing"));
    expect(await hits()).toEqual([[2, "investigating"]]);
  });

  it("ends by the first notice that is heard of it, with all that it fires", async () => {
    await send(alertmanager("firing"));
    await downgrade((fingerprint, start) => keyOf("alertmanager", fingerprint, start));
    // Another start was another instance.
    await rows(
      `insert into alerts select (jsonb_populate_record(a, jsonb_build_object('alert_id', $1::text, 'instance_key', $2::text,
         'starts_at', '2026-05-04T07:10:00Z'))).* from alerts a`,
      [randomUUID(), keyOf("alertmanager", "f", "2026-05-04T07:10:00.000Z")],
    );
    await send(alertmanager("resolved"));
    expect((await stored()).map((row) => row.status)).toEqual(["resolved", "resolved"]);
    expect(await hits()).toEqual([[1, "resolved"]]);
  });

  it("goes on being repeated by Prometheus", async () => {
    await send(prometheus(new Date(clock.now().getTime() + 240_000)));
    await downgrade((fingerprint) => keyOf("prometheus", fingerprint, "repeated"));
    await send(prometheus(new Date(clock.now().getTime() + 240_000)));
    expect(await stored()).toEqual([{ outage: 1, status: "firing", deliveries: 2 }]);
    await send(prometheus(new Date(clock.now().getTime() - 1_000)));
    expect(await hits()).toEqual([[1, "resolved"]]);
  });

  it("without a start is acknowledged and ends by its key", async () => {
    await send(event("trigger"));
    await downgrade((fingerprint) => keyOf("pagerduty", fingerprint, "unknown"));
    await send(event("acknowledge"));
    expect(await rows("select 1 from incidents where acknowledged_at is not null")).toHaveLength(1);
    await send(event("trigger"));
    await send(event("resolve"));
    expect(await hits()).toEqual([[1, "resolved"]]);
  });

  it("ends with all its calls where those are counted", async () => {
    await send(script("firing"));
    await send(script("firing"));
    await downgrade(() => keyOf("generic", "call", randomUUID(), "0"));
    await send(script("firing"));
    expect(await hits()).toEqual([[3, "investigating"]]);
    await send(script("resolved"));
    expect((await stored()).map((row) => row.status)).toEqual(["resolved", "resolved", "resolved"]);
    expect(await hits()).toEqual([[3, "resolved"]]);
  });

  it("is not ended by an alert of another adapter that has its fingerprint", async () => {
    await send(alertmanager("firing"));
    await downgrade((fingerprint, start) => keyOf("alertmanager", fingerprint, start));
    await send({
      source: "generic",
      body: { status: "resolved", alert_type: "x", fingerprint: "f", message: "x", startsAt: START },
    });
    expect((await stored())[0]).toMatchObject({ status: "firing" });
  });
});

describe("what was over before outages were counted", () => {
  it("is not begun again by a dead letter that held it", async () => {
    await send(alertmanager("firing"));
    await send(alertmanager("resolved"));
    await downgrade((fingerprint, start) => keyOf("alertmanager", fingerprint, start));
    await send({ ...alertmanager("firing"), replays: 1 });
    expect(await hits()).toEqual([[1, "resolved"]]);
    // Its sender says so again: that is news.
    await send(alertmanager("firing"));
    expect(await hits()).toEqual([[2, "investigating"]]);
  });
});
