import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createDatabase, type TestDatabase } from "../../../test/support/database.ts";
import {
  makePerson,
  type SetClock,
  setClock,
  testPipelineDeps,
} from "../../../test/support/pipeline-deps.ts";
import { MIGRATIONS } from "../../db/migrate.ts";
import {
  alertIdentity,
  expectedHeartbeat,
  forgetHeartbeat,
  listHeartbeats,
  loadClassification,
  waitingReceipts,
} from "../../intake/index.ts";
import { insertReceipts } from "../../intake/store.ts";
import { compileMatchers, parseMatchers } from "../../lib/matchers.ts";
import { IntakeUptime } from "../intake/intake-uptime.ts";
import { type Delivery, processReceipts } from "../intake/process-receipts.ts";
import type { PipelineDeps } from "../types.ts";
import { sweep } from "./sweep.ts";

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
  await sweep(deps);
});

const expected = (name: string, interval: number, matchers?: string, source: string | null = null) =>
  expectedHeartbeat({
    name,
    source,
    interval,
    severity: "critical",
    matches: matchers === undefined ? null : compileMatchers(parseMatchers(matchers)),
  });

/** Has everything that waits in the journal understood, as the worker does. */
async function understand() {
  const receipts = await waitingReceipts(deps.as("intake"), Number.MAX_SAFE_INTEGER, 100);
  const deliveries = receipts.map((receipt) => ({
    receipt,
    body: JSON.parse(receipt.body.toString("utf8")) as unknown,
  }));
  if (deliveries.length > 0) await processReceipts(deps.as("intake"), deps, deliveries);
}

type Raw = { labels: Record<string, string>; status?: string; annotations?: object; fingerprint?: string };

async function hearFrom(source: "alertmanager" | "prometheus", ...alerts: Raw[]) {
  const list = alerts.map((one) => ({ startsAt: "2026-05-04T07:00:00Z", status: "firing", ...one }));
  const body = Buffer.from(JSON.stringify(source === "prometheus" ? list : { version: "4", alerts: list }));
  await insertReceipts(deps.as("intake"), [{ source, sender: "x", received_at: clock.now(), body }]);
  await understand();
}
const hear = (...alerts: Raw[]) => hearFrom("alertmanager", ...alerts);
const watchdog = (labels: Record<string, string> = {}) => ({
  labels: { alertname: "Watchdog", severity: "none", ...labels },
});

/** Time in which the server runs: it sweeps, and understands what that raised. */
async function pass(seconds: number, step = 60) {
  for (let left = seconds; left > 0; left -= step) {
    clock.forward(Math.min(step, left));
    await sweep(deps);
    await understand();
  }
}
const incidents = async () =>
  (
    await database.pool.query(
      "select title, status, alert_category, notification_type, severity from incidents order by created_at, incident_id",
    )
  ).rows as { title: string; status: string; alert_category: string; severity: string }[];
const open = async () => (await incidents()).filter((one) => one.status === "investigating");
const list = async () => (await listHeartbeats(database.ctx(await ada(), clock), { limit: 50 })).items;
let person: Awaited<ReturnType<typeof makePerson>> | undefined;
const ada = async () => (person ??= await makePerson(deps.as("bootstrap"), "ada", "responder"));

describe("a heartbeat", () => {
  it("makes no incident while it comes; its silence makes one, which ends when it is heard again", async () => {
    await hear(watchdog());
    for (let time = 0; time < 2; time += 1) {
      await pass(600);
      await hear(watchdog());
    }
    expect(await incidents()).toEqual([]);
    await pass(1_020);
    expect(await open()).toMatchObject([
      {
        title: "NoAlertsReceived: No heartbeat of Watchdog from alertmanager",
        alert_category: "alertchain_health",
        severity: "P2",
      },
    ]);
    expect(await list()).toMatchObject([{ state: "missing", expected: false }]);
    await pass(1_200);
    expect(await incidents()).toHaveLength(1);
    await hear(watchdog());
    await pass(60);
    expect(await incidents()).toMatchObject([{ status: "resolved" }]);
    expect(await list()).toMatchObject([{ state: "alive", missing_since: null }]);
  });

  it("is missed whatever a sender says under the name of that alert, before or after", async () => {
    await hear(watchdog());
    const [{ heartbeat_id = "" } = {}] = await list();
    const forged = (more: object) => ({
      fingerprint: heartbeat_id,
      labels: { alertname: "SomeInfo", severity: "info" },
      ...more,
    });
    await hear(forged({}));
    await pass(1_200);
    const missed = async () => (await open()).filter((one) => one.alert_category === "alertchain_health");
    expect(await missed()).toHaveLength(1);
    await hear(forged({ status: "resolved", endsAt: clock.now().toISOString() }));
    await hearFrom("prometheus", forged({ status: "resolved", endsAt: clock.now().toISOString() }));
    await pass(120);
    expect(await missed()).toHaveLength(1);
    await hear(watchdog());
    await pass(60);
    expect(await missed()).toEqual([]);
  });

  it("that was missed before our own alerts had a source of their own ends as any other", async () => {
    await hear(watchdog());
    await pass(1_200);
    const stored = async () =>
      (
        await database.pool.query(
          "select alert_id, identity, source, source_fingerprint from alerts where alert_name = 'NoAlertsReceived'",
        )
      ).rows;
    const [alert] = await stored();
    expect(alert).toMatchObject({
      source: "awoooi",
      identity: alertIdentity("awoooi", "", alert.source_fingerprint),
    });
    await database.pool.query(
      "update alerts set source = 'alertmanager', identity = $2 where alert_id = $1",
      [alert.alert_id, alertIdentity("alertmanager", "", alert.source_fingerprint)],
    );
    const migration = readFileSync(join(MIGRATIONS, "0019_own_source.sql"), "utf8");
    for (const statement of migration.split("--> statement-breakpoint")) await database.pool.query(statement);
    expect(await stored()).toEqual([alert]);
    await hear(watchdog());
    await pass(60);
    expect(await open()).toEqual([]);
  });

  it("is waited for by how long it was silent before, where nobody has named it", async () => {
    await hear(watchdog());
    await pass(800);
    await hear(watchdog());
    expect(await list()).toMatchObject([{ interval: 1_200 }]);
    // An outage is not what is usual.
    await pass(1_800);
    expect(await open()).toHaveLength(1);
    await hear(watchdog());
    expect(await list()).toMatchObject([{ interval: 1_200 }]);
  });

  it("is one for each cluster, and its resolved notice is no sign of life", async () => {
    await hear(watchdog({ cluster: "a" }), watchdog({ cluster: "b" }));
    await pass(600);
    await hear(watchdog({ cluster: "a" }), { ...watchdog({ cluster: "b" }), status: "resolved" });
    await pass(600);
    expect((await list()).map(({ name, state }) => [name, state]).sort()).toEqual([
      ["Watchdog of a", "alive"],
      ["Watchdog of b", "missing"],
    ]);
  });

  it("is missed by itself: two that fall silent together are two incidents, which neither hides the other", async () => {
    const named = ["payments-gateway", "watcher of payments-gateway"];
    deps.heartbeats = {
      interval: 900,
      expected: named.map((name) => expected(name, 300, `alertname="${name}"`)),
    };
    await hear(watchdog(), watchdog({ namespace: "edge" }), watchdog({ job: "thanos" }));
    await hearFrom("prometheus", watchdog());
    await pass(1_080);
    const titles = (await open()).map((one) => one.title.replace("NoAlertsReceived: No heartbeat of ", ""));
    expect(titles.sort()).toEqual([
      "Watchdog from alertmanager",
      "Watchdog from prometheus",
      "Watchdog in edge from alertmanager",
      "Watchdog on thanos from alertmanager",
      ...named,
    ]);
    const merged = await database.pool.query("select 1 from incidents where merged_into is not null");
    expect(merged.rows).toEqual([]);
  });

  it("is learnt where there is room for it: of a thousand and no more, however many come at once", async () => {
    const some = (name: string, count: number) =>
      Array.from({ length: count }, (_, n) => watchdog({ cluster: `${name}-${n}` }));
    deps.heartbeats = { ...deps.heartbeats, expected: [expected("named", 60, "cluster=named-0")] };
    await hear(...some("named", 1), ...some("first", 700));
    const learnt = async () =>
      (
        await database.pool.query<{ n: number }>(
          "select count(*)::int as n from heartbeats where not expected",
        )
      ).rows[0]?.n;
    expect(await learnt()).toBe(700);
    await hear(...some("second", 400));
    expect(await learnt()).toBe(1_000);
    await database.pool.query(
      "delete from heartbeats where name = (select max(name) from heartbeats where name like '%second%')",
    );
    const receipts: Delivery[] = [];
    for (const alert of some("third", 8)) {
      const body = {
        version: "4",
        alerts: [{ startsAt: "2026-05-04T07:00:00Z", status: "firing", ...alert }],
      };
      const row = {
        ...{ source: "alertmanager", sender: "x", received_at: clock.now() },
        body: Buffer.from(JSON.stringify(body)),
      };
      const [seq = 0] = await insertReceipts(deps.as("intake"), [row]);
      receipts.push({ receipt: { ...row, seq }, body });
    }
    await Promise.all(receipts.map((one) => processReceipts(deps.as("intake"), deps, [one])));
    expect(await learnt()).toBe(1_000);
    // What is known, or named, is heard of all the same.
    clock.forward(60);
    await hear(...some("named", 1), ...some("first", 700), ...some("more", 5));
    const { rows } = await database.pool.query(
      "select count(*)::int as n from heartbeats where last_heard_at = $1",
      [clock.now()],
    );
    expect([await learnt(), rows[0].n]).toEqual([1_000, 701]);
  });

  it("that is expected is missed although it never came, and is any alert that its matchers fit", async () => {
    deps.heartbeats = {
      interval: 900,
      expected: [expected("backups", 1_200, 'job="backup"'), expected("prod", 300)],
    };
    await pass(420);
    expect((await open()).map((one) => one.title)).toEqual(["NoAlertsReceived: No heartbeat of prod"]);
    await hear(watchdog());
    await pass(60);
    expect(await open()).toEqual([]);
    // The Watchdog is the one that is expected, and none of its own besides.
    expect(await list()).toHaveLength(2);
    await pass(600);
    await hear({ labels: { alertname: "BackupDone", severity: "info", job: "backup" } });
    await pass(600);
    const missing = (await list()).filter((one) => one.state === "missing").map((one) => one.name);
    expect(missing).toEqual(["prod"]);
  });

  it("cannot be kept alive by what its silence raises", async () => {
    deps.heartbeats = { interval: 900, expected: [expected("anything", 300, 'alertname=~".+"')] };
    await pass(1_200);
    expect(await list()).toMatchObject([{ state: "missing", last_heard_at: null }]);
  });

  it("is not missed for what we could not hear: we were away, or behind", async () => {
    await hear(watchdog());
    clock.forward(6 * 3_600);
    deps.intake_uptime = new IntakeUptime(() => 5);
    await pass(600);
    expect(await incidents()).toEqual([]);
    await pass(600);
    expect(await open()).toHaveLength(1);
  });

  it("ends what it raised when it is forgotten, or named no longer", async () => {
    deps.heartbeats = { interval: 900, expected: [expected("prod", 300, 'alertname="Prod"')] };
    await hear(watchdog());
    await pass(1_200);
    expect(await open()).toHaveLength(2);
    deps.heartbeats = { interval: 900, expected: [] };
    const learnt = (await list()).find((one) => !one.expected);
    await forgetHeartbeat(database.ctx(await ada(), clock), learnt?.heartbeat_id ?? "");
    await pass(60);
    expect(await open()).toEqual([]);
    expect(await list()).toEqual([]);
  });

  it("is listed and forgotten by those who may", async () => {
    await hear(watchdog());
    const [one] = await list();
    const grace = database.ctx(await makePerson(deps.as("bootstrap"), "grace", "viewer"), clock);
    await expect(forgetHeartbeat(grace, one?.heartbeat_id ?? "")).rejects.toMatchObject({
      code: "forbidden",
    });
    await expect(forgetHeartbeat(database.ctx(await ada(), clock), "HB-0")).rejects.toMatchObject({
      code: "not_found",
    });
    await expect(listHeartbeats(deps.as("intake"), { limit: 1 })).rejects.toMatchObject({
      code: "forbidden",
    });
  });
});

describe("an alert of a pipeline", () => {
  it("is told in a line, once for each stage, with no incident and nothing decided", async () => {
    deps.classification = loadClassification([], undefined, ["GiteaDeploy"]);
    const deploy = (stage: string, severity: string) => ({
      labels: { alertname: "GiteaDeploy", severity, stage, commit: "4f1e" },
      annotations: { summary: "shop to prod", workflow_url: "https://git.example/1" },
    });
    for (let again = 0; again < 2; again += 1)
      await hear(deploy("build", "warning"), deploy("rollout", "info"));
    const { rows } = await database.pool.query(
      "select topic, incident_id, payload from outbox order by payload->>'stage'",
    );
    const common = {
      name: "GiteaDeploy",
      commit: "4f1e",
      triggered_by: "CI",
      summary: "shop to prod",
      workflow_url: "https://git.example/1",
    };
    expect(rows).toMatchObject([
      {
        topic: "pipeline.progress",
        incident_id: null,
        payload: { ...common, stage: "build", status: "running" },
      },
      {
        topic: "pipeline.progress",
        incident_id: null,
        payload: { ...common, stage: "rollout", status: "success" },
      },
    ]);
    expect(await incidents()).toEqual([]);
    expect((await database.pool.query("select alert_name, incident_id from alerts")).rows).toHaveLength(2);
  });
});
