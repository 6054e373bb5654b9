import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RunningApp } from "../../src/app/app.ts";
import { STATE_TABLES } from "../../src/db/state-counts.ts";
import { alertmanagerBody, post } from "../support/alerts.ts";
import { approvalIn, type Client, concluded, person, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { promtoolBinary } from "../support/prepare.ts";
import { ScriptedTarget } from "../support/scripted-executor.ts";
import { eventually, until } from "../support/until.ts";

const PAGE = join(import.meta.dirname, "../../docs/reference/metrics.md");

let database: TestDatabase;
let folder: string;
let target: ScriptedTarget;
let app: RunningApp & { admin: Client };

beforeEach(async () => {
  database = await createDatabase();
  folder = await temporaryFolder("metrics");
  target = new ScriptedTarget();
  app = await startTestApp(
    database.url,
    folder,
    { processes: [{ name: "shop", argv: ["/bin/true"] }] },
    { adapt: (one) => ({ ...one, executors: [target.executor], observers: [target.observer] }) },
  );
});
afterEach(async () => {
  await app.stop();
  await database.drop();
  await clearFolder(folder);
});

const scrape = async (headers: Record<string, string> = {}) => {
  const response = await fetch(`${app.url}/metrics`, { headers });
  return { status: response.status, text: await response.text() };
};

/** The value of one series; undefined when it is not there. */
function reading(text: string, series: string): number | undefined {
  const line = text.split("\n").find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

/** Waits for a series to have a value: what the database tells is a few seconds old at most. */
const becomes = (series: string, value: number) =>
  until(async () => reading((await scrape()).text, series) === value, `${series} to be ${value}`);

const firing = (labels: Record<string, string> = {}) =>
  alertmanagerBody([{ labels: { alertname: "ShopDown", service: "shop", severity: "critical", ...labels } }]);

describe("metrics", () => {
  it("tell the journey of an alert, in a form that Prometheus' own tool accepts", async () => {
    const before = Date.now() / 1000;
    const { body } = await post(app.url, firing());
    const incident_id = body.incident_id as string;
    const { approval_id, plan_hash } = await approvalIn(app.admin, incident_id, "pending");
    await becomes('awoooi_items{kind="approval",state="pending"}', 1);
    await app.admin.post(`/approvals/${approval_id}/approve`, { plan_hash });
    await concluded(app.admin, incident_id);
    await becomes('awoooi_incidents_resolved_total{disposition="human_approved"}', 1);
    const expected: [string, number][] = [
      ['awoooi_alerts_received_total{source="alertmanager",status="firing"}', 1],
      ['awoooi_alerts_received_total{source="alertmanager",status="resolved"}', 0],
      ['awoooi_dead_letters_total{source="alertmanager"}', 0],
      ['awoooi_webhook_latency_seconds_count{webhook_type="alertmanager"}', 1],
      ['http_requests_total{path="/api/v1/webhooks/alertmanager",status="200"}', 1],
      ['http_requests_total{path="/api/v1/approvals/:id/approve",status="200"}', 1],
      ["awoooi_journal_commit_receipts_count", 1],
      ['awoooi_incidents_opened_total{severity="P0"}', 1],
      ['awoooi_decisions_total{source="expert_system",outcome="ask"}', 1],
      ["awoooi_approvals_requested_total", 1],
      ['awoooi_approvals_total{outcome="approved"}', 1],
      ['awoooi_approvals_total{outcome="rejected"}', 0],
      ['awoooi_execution_attempts_total{operation="process.restart"}', 1],
      ['awoooi_executions_total{operation="process.restart",status="success"}', 1],
      ['awoooi_verifications_total{result="success"}', 1],
      // Before it is shown, and again before acting.
      ['awoooi_resolver_results_total{result="hit"}', 2],
      ['awoooi_items{kind="incident",state="investigating"}', 0],
      ['awoooi_oldest_item_age_seconds{kind="execution",state="running"}', 0],
      ['awoooi_oldest_item_age_seconds{kind="workflow",state="ENQUEUED"}', 0],
      ["awoooi_database_up", 1],
    ];
    const text = await eventually(async () => {
      const { text } = await scrape();
      expect(expected.map(([series]) => [series, reading(text, series)])).toEqual(expected);
      return text;
    });
    expect(reading(text, "awoooi_last_alert_received_timestamp")).toBeGreaterThanOrEqual(Math.floor(before));
    const chain = (source: string) =>
      reading(text, `awoooi_alert_chain_last_success_timestamp{source="${source}"}`);
    expect(chain("alertmanager")).toBeGreaterThanOrEqual(Math.floor(before));
    expect(chain("grafana")).toBe(0);
    expect(reading(text, "awoooi_audit_entries")).toBeGreaterThan(5);
    expect(
      reading(text, 'awoooi_database_size_bytes{schema="dbos",table="workflow_status"}'),
    ).toBeGreaterThan(0);
    for (const bucket of ["0.1", "0.5", "1", "2", "5", "10", "30"])
      expect(text).toContain(
        `awoooi_webhook_latency_seconds_bucket{le="${bucket}",webhook_type="alertmanager"}`,
      );

    const promtool = promtoolBinary();
    if (promtool === undefined) throw new Error("there is no promtool: run `node test/support/prepare.ts`");
    expect(execFileSync(promtool, ["check", "metrics"], { input: ours(text), encoding: "utf8" })).toBe("");
  });

  /** Without prom-client's own: two of its names for Node's internals are not to promtool's taste. */
  const ours = (text: string) =>
    text
      .split("\n")
      .filter((line) => !/^(# (HELP|TYPE) )?(nodejs|process)_/.test(line))
      .join("\n");

  it("are all in the reference, and the reference has no others", async () => {
    const names = [...(await scrape()).text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1] as string);
    const own = names.filter((name) => !/^(nodejs|process)_/.test(name));
    const listed = [...readFileSync(PAGE, "utf8").matchAll(/^\| `((?:awoooi|http)_[a-z_]+)/gm)].map(
      (match) => match[1] as string,
    );
    expect(listed.sort()).toEqual(own.sort());
    expect(names.length).toBeGreaterThan(own.length);
    const page = readFileSync(PAGE, "utf8");
    for (const { kind, states } of STATE_TABLES) {
      const row = page.split("\n").find((line) => line.startsWith(`| \`${kind}\``)) ?? "";
      expect(states.filter((state) => !row.includes(`\`${state}\``))).toEqual([]);
    }
  });

  it("do not grow with what strangers send", async () => {
    const seriesIn = (text: string) => new Set([...text.matchAll(/^[a-z_]+\{[^}]*\}/gm)].map(String));
    const strangers = async (from: number, to: number) => {
      for (let n = from; n < to; n += 1) {
        await fetch(`${app.url}/nothing/${n}`);
        await fetch(`${app.url}/api/v1/incidents/INC-${n}`);
        await post(app.url, firing({ severity: `made-up-${n}`, alertname: `Shop${n}`, job: `j${n}` }));
        await post(app.url, { version: `v${n}` });
      }
      await becomes('awoooi_dead_letters_total{source="alertmanager"}', to);
      return (await scrape()).text;
    };
    // The first of them bring routes and statuses that were not called before, each with its buckets.
    const names = seriesIn(await strangers(0, 5));
    const text = await strangers(5, 25);
    expect(reading(text, 'http_requests_total{path="unknown",status="404"}')).toBe(25);
    expect(reading(text, 'http_requests_total{path="/api/v1/incidents/:id",status="401"}')).toBe(25);
    expect(reading(text, 'awoooi_requests_refused_total{part="api",reason="unauthenticated"}')).toBe(25);
    expect(text).not.toMatch(/made-up|Shop\d|INC-\d|j1\b/);
    // One series for each of twenty, with its buckets, would be 340.
    expect([...seriesIn(text)].filter((one) => !names.has(one)).length).toBeLessThan(100);
  });

  it("are for this machine, and for anyone with a token of any role; a proxy's word is not taken", async () => {
    const viewer = await app.admin.post<{ token: string }>("/tokens", { name: "prometheus", role: "viewer" });
    const outside = { "x-forwarded-for": "203.0.113.7" };
    expect((await scrape()).status).toBe(200);
    expect((await scrape(outside)).status).toBe(401);
    expect((await scrape({ ...outside, authorization: "Bearer wrong" })).status).toBe(401);
    expect((await scrape({ ...outside, authorization: `Bearer ${viewer.token}` })).status).toBe(200);
    const eve = await person(app, "eve", "viewer");
    expect((await eve.call("GET", "/incidents")).status).toBe(200);
  });

  it("answer from memory while the database hangs, and say so", async () => {
    await becomes("awoooi_database_up", 1);
    await post(app.url, firing());
    const lock = await database.pool.connect();
    try {
      await lock.query("begin; lock table outbox in access exclusive mode");
      await becomes("awoooi_database_up", 0);
      const { status, text } = await scrape();
      expect(status).toBe(200);
      expect(reading(text, 'awoooi_alerts_received_total{source="alertmanager",status="firing"}')).toBe(1);
      expect(text).toContain('awoooi_oldest_item_age_seconds{kind="incident",state="investigating"}');
    } finally {
      await lock.query("rollback");
      lock.release();
    }
    await becomes("awoooi_database_up", 1);
  });

  it("belong to one app: another in the same process has its own", async () => {
    const other = await createDatabase();
    await post(app.url, firing());
    await app.stop();
    app = await startTestApp(other.url, folder);
    const { text } = await scrape();
    expect(reading(text, 'awoooi_alerts_received_total{source="alertmanager",status="firing"}')).toBe(0);
    await app.stop();
    await other.drop();
  });
});
