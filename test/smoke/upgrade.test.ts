import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RunningApp } from "../../src/app/app.ts";
import { alertmanagerBody, post } from "../support/alerts.ts";
import { approvalIn, type Client, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { ScriptedTarget } from "../support/scripted-executor.ts";
import { until } from "../support/until.ts";

type Stored = Record<string, unknown> & { labels: Record<string, string>; starts_at: string };
type Tables = { alerts: Stored[] } & Record<string, Record<string, unknown>[]>;

/** When the rows were written, by the commit before keys had versions. */
const WRITTEN = Date.parse("2026-11-28T23:07:41Z");
const TIME = /^\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)$/;

/** The rows as if they had been written a moment ago. */
function stored(): Tables {
  const file = join(import.meta.dirname, "fixtures/stored-under-keys-1.json");
  const shift = Date.now() - WRITTEN;
  return JSON.parse(readFileSync(file, "utf8"), (key, value: unknown) =>
    // Of a start an instance key is made.
    typeof value === "string" && TIME.test(value) && key !== "starts_at"
      ? new Date(Date.parse(value) + shift).toISOString()
      : value,
  ) as Tables;
}

let folder: string;
let database: TestDatabase;
let target: ScriptedTarget;
let tables: Tables;
let app: RunningApp & { admin: Client };

const rows = async <T>(sql: string, values: unknown[] = []) =>
  (await database.pool.query(sql, values)).rows as T[];

async function load(): Promise<void> {
  await database.forget();
  for (const [table, list] of Object.entries(tables)) {
    const columns = Object.keys(list[0] ?? {}).join(", ");
    await rows(
      `insert into ${table} (${columns}) select ${columns} from json_populate_recordset(null::${table}, $1::json)
       on conflict do nothing`,
      [JSON.stringify(list)],
    );
  }
}

const start = () =>
  startTestApp(
    database.url,
    folder,
    { processes: ["shop", "till"].map((name) => ({ name, argv: ["/bin/true"] })) },
    { adapt: (adapters) => ({ ...adapters, executors: [target.executor], observers: [target.observer] }) },
  );

beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  folder = await temporaryFolder("upgrade");
  target = new ScriptedTarget();
  tables = stored();
  await load();
  app = await start();
});
afterEach(async () => {
  await app.stop();
  await clearFolder(folder);
});

const again = async ({ labels, starts_at }: Stored, more: object = {}) =>
  (await post(app.url, alertmanagerBody([{ labels, startsAt: starts_at, ...more } as never]))).body as {
    incident_id: string | null;
    hit_count: number;
  };
const firing = () =>
  tables.alerts.filter((alert) => alert.status === "firing" && alert.alert_name !== "BackupFailed");
const named = (name: string, value: string) =>
  tables.alerts.find(({ labels }) => labels[name] === value) as Stored & { incident_id: string };

describe("what was stored under keys of version 1", () => {
  it("is all there, under keys of the present version", async () => {
    for (const table of ["alerts", "incidents"]) {
      expect(await rows(`select count(*)::int as n from ${table}`)).toEqual([{ n: tables[table]?.length }]);
      expect(await rows(`select 1 from ${table} where key_version <> 2 or anomaly_key = ''`)).toEqual([]);
    }
    const keys = await rows<{ slo: string; fingerprint: string; anomaly_key: string }>(
      "select labels->>'slo' as slo, fingerprint, anomaly_key from alerts where alert_name = 'ErrorBudgetBurn'",
    );
    expect(new Set(keys.map((one) => one.anomaly_key)).size).toBe(1);
    expect(new Set(keys.map((one) => one.fingerprint)).size).toBe(2);
    // Starting again finds nothing to do.
    const before = await rows("select incident_id, fingerprint from incidents order by 1");
    await app.stop();
    app = await start();
    expect(await rows("select incident_id, fingerprint from incidents order by 1")).toEqual(before);
  });

  it("takes in what fires, without a new card: each alert counts on the incident that it was in", async () => {
    const cards = await rows("select approval_id from approvals order by 1");
    for (const alert of firing()) {
      const answer = await again(alert);
      expect([alert.labels, answer.incident_id]).toEqual([alert.labels, alert.incident_id]);
    }
    expect(await rows("select count(*)::int as n from incidents")).toEqual([{ n: tables.incidents?.length }]);
    expect(await rows("select approval_id from approvals order by 1")).toEqual(cards);
    const counts = (list: Record<string, unknown>[]) =>
      list.map(({ incident_id, hit_count }) => [incident_id, hit_count]).sort();
    expect(counts(await rows("select incident_id, hit_count from incidents"))).toEqual(
      counts(tables.incidents ?? []),
    );
  });

  it("ends with its alerts, and what was one incident is two from then on", async () => {
    const [checkout, login] = [named("slo", "checkout"), named("slo", "login")];
    const ends = { status: "resolved", endsAt: new Date().toISOString() };
    const status = async () =>
      (await app.admin.get<{ status: string }>(`/incidents/${checkout.incident_id}`)).status;
    await again(login, ends);
    expect(await status()).toBe("investigating");
    const back = await again(login, { startsAt: new Date().toISOString() });
    expect(back.incident_id).not.toBe(checkout.incident_id);
    await again(checkout, ends);
    expect(await status()).toBe("resolved");
  });

  it("is still learnt by, and what people taught still fits", async () => {
    const till = named("component", "till").incident_id;
    const learnt = await rows(
      `select i.anomaly_key = all (select anomaly_key from repair_records where incident_id = i.incident_id
          union all select anomaly_key from resolutions where incident_id = i.incident_id) as fits
         from incidents i where incident_id = $1`,
      [till],
    );
    expect(learnt).toEqual([{ fits: true }]);
    const back = await again(named("component", "till"), { startsAt: new Date().toISOString() });
    expect(back.incident_id).toBe(till);
    expect(await rows("select held from repair_records where incident_id = $1", [till])).toEqual([
      { held: false },
    ]);
    expect(
      await rows(`select 1 from correlation_lessons l
        where (select count(*) from incidents where fingerprint in (l.fingerprint, l.other_fingerprint)) < 2
           or l.fingerprint >= l.other_fingerprint`),
    ).toEqual([]);
  });

  it("hears the heartbeat that it waited for", async () => {
    const before = await rows<{ heartbeat_id: string; last_heard_at: Date }>("select * from heartbeats");
    await again(tables.alerts.find((alert) => alert.alert_name === "Watchdog") as Stored);
    const after = await rows<{ heartbeat_id: string; last_heard_at: Date }>("select * from heartbeats");
    expect(after).toMatchObject([{ heartbeat_id: before[0]?.heartbeat_id }]);
    expect(after[0]?.last_heard_at.getTime()).toBeGreaterThan(before[0]?.last_heard_at.getTime() ?? 0);
  });

  it("is carried out when it is signed", async () => {
    const { incident_id } = named("component", "shop");
    const { approval_id, plan_hash } = await approvalIn(app.admin, incident_id, "pending");
    await app.admin.call("POST", `/approvals/${approval_id}/approve`, { plan_hash });
    await until(
      async () =>
        (await app.admin.get<{ status: string }>(`/incidents/${incident_id}`)).status === "resolved",
      "the incident to be resolved",
    );
  });
});
