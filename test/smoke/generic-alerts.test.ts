import { createHmac } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RunningApp } from "../../src/app/app.ts";
import type { WebhookAnswer } from "../../src/contract/webhook.ts";
import { silentLog } from "../../src/lib/log.ts";
import { type Client, incidentIn, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";

const [OLD, SECRET] = ["the-secret-until-now", "the-secret-from-now-on"];
const INTAKE = { answer_wait: "2m", hmac_secrets: [OLD, SECRET] };

let database: TestDatabase;
let folder: string;
let app: RunningApp & { admin: Client };

async function start(
  settings: Record<string, unknown> = { intake: INTAKE },
  options: Parameters<typeof startTestApp>[3] = {},
): Promise<void> {
  app = await startTestApp(database.url, folder, settings, options);
}

beforeEach(async () => {
  database = await createDatabase();
  folder = await temporaryFolder("generic");
});
afterEach(async () => {
  await app.stop();
  await database.drop();
  await clearFolder(folder);
});

type Answer = { status: number; body: WebhookAnswer & { code: string; detail: string } };

/** Posts an alert, signed unless another signature is given; null sends none. */
async function send(
  alert: unknown,
  more: { signature?: string | null; key?: string; headers?: Record<string, string>; path?: string } = {},
): Promise<Answer> {
  const body = typeof alert === "string" ? alert : JSON.stringify(alert);
  const { signature = `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`, key } = more;
  const response = await fetch(`${app.url}/api/v1/webhooks/${more.path ?? "alerts"}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(signature === null ? {} : { "x-signature-256": signature }),
      ...(key === undefined ? {} : { "idempotency-key": key }),
      ...more.headers,
    },
    body,
  });
  return { status: response.status, body: (await response.json()) as Answer["body"] };
}

const ALERT = {
  alert_type: "high_cpu",
  severity: "critical",
  target_resource: "checkout",
  namespace: "prod",
};
const receipts = async () =>
  Number((await database.pool.query("select count(*) from receipts")).rows[0].count);
const hits = async (answer: Answer) =>
  (await app.admin.get<{ hit_count: number }>(`/incidents/${answer.body.incident_id}`)).hit_count;

describe("a signed alert", () => {
  it("becomes an incident, and its answer says everything that is known", async () => {
    await start();
    const { status, body } = await send({
      ...ALERT,
      source: "cron",
      message: "load 40",
      metrics: { load: 40 },
    });
    expect(status).toBe(200);
    expect(body).toEqual({
      success: true,
      message: expect.any(String),
      alert_id: expect.stringMatching(/^ALT-/),
      approval_created: expect.any(Boolean),
      approval_id: body.approval_id,
      incident_id: expect.stringMatching(/^INC-/),
      risk_level: expect.any(String),
      suggested_action: expect.any(String),
      hit_count: 1,
      converged: false,
      results: [expect.objectContaining({ incident_id: body.incident_id })],
    });
    const incident = await app.admin.get(`/incidents/${body.incident_id}`);
    expect(incident).toMatchObject({ severity: "P0", affected_services: ["checkout"] });
    const { items } = await app.admin.get<{ items: object[] }>(`/incidents/${body.incident_id}/alerts`);
    expect(items).toEqual([
      expect.objectContaining({
        source: "manual",
        alert_type: "high_cpu",
        namespace: "prod",
        message: "load 40",
        annotations: { summary: "load 40", metrics: '{"load":40}' },
      }),
    ]);
  });

  it("converges with what Alertmanager says of the same trouble", async () => {
    await start();
    const first = await send(ALERT);
    const labels = { alertname: "HighCPUUsage", component: "checkout", namespace: "prod" };
    const second = await send({ alerts: [{ labels, status: "firing" }] }, { path: "alertmanager" });
    expect(second.body).toMatchObject({ incident_id: first.body.incident_id, converged: true, hit_count: 2 });
    type Page = { items: { alert_id: string }[]; next_cursor: string | null };
    const page = (query: string) =>
      app.admin.get<Page>(`/incidents/${first.body.incident_id}/alerts?${query}`);
    const whole = await page("");
    const one = await page("limit=1");
    const other = await page(`limit=1&cursor=${one.next_cursor}`);
    expect([...one.items, ...other.items]).toEqual(whole.items);
    expect([whole.items.length, whole.next_cursor, other.next_cursor]).toEqual([2, null, null]);
  });

  it("is admitted from any network, with either secret, and only so", async () => {
    await start();
    const elsewhere = { "x-forwarded-for": "203.0.113.9" };
    expect((await send(ALERT, { headers: elsewhere })).status).toBe(200);
    const body = JSON.stringify(ALERT);
    const signature = `sha256=${createHmac("sha256", OLD).update(body).digest("hex")}`;
    expect((await send(body, { signature })).status).toBe(200);
    expect(await receipts()).toBe(2);
    for (const [wrong, words] of [
      [null, "missing"],
      ["sha256=short", "malformed"],
      [`sha256=${"0".repeat(64)}`, "does not match"],
    ] as const) {
      const refused = await send(ALERT, { signature: wrong });
      expect(refused).toMatchObject({
        status: 401,
        body: { code: "signature_invalid", detail: expect.stringContaining(words) },
      });
    }
    // The body is not even looked at before its signature is.
    expect((await send("{not json", { signature: `sha256=${"0".repeat(64)}` })).status).toBe(401);
    expect((await send("{not json")).body).toMatchObject({ code: "unparsable" });
    expect(await receipts()).toBe(2);
  });

  it("is all that production takes: without a secret nothing is", async () => {
    await start({ env: "prod" });
    for (const signature of [null, `sha256=${"0".repeat(64)}`]) {
      expect(await send(ALERT, { signature })).toMatchObject({
        status: 403,
        body: { code: "untrusted_sender" },
      });
    }
    expect(await receipts()).toBe(0);
  });

  it("need not be signed elsewhere without a secret, from the own network; the log warns once", async () => {
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (_fields: object, text: string) => void warnings.push(text) };
    await start({}, { log });
    for (let n = 0; n < 3; n += 1) expect((await send(ALERT, { signature: null })).status).toBe(200);
    expect(warnings.filter((text) => text.includes("unsigned"))).toHaveLength(1);
    const outside = { signature: null, headers: { "x-forwarded-for": "203.0.113.9" } };
    expect(await send(ALERT, outside)).toMatchObject({ status: 403, body: { code: "untrusted_sender" } });
    const page = { signature: null, headers: { origin: "https://evil.example" } };
    expect(await send(ALERT, page)).toMatchObject({ status: 403, body: { code: "from_web_page" } });
  });

  it("may be of these types, says the health of the webhooks", async () => {
    await start();
    const response = await fetch(`${app.url}/api/v1/webhooks/health`);
    const health = (await response.json()) as { alert_types: string[]; supported_alert_types: string[] };
    expect(health.supported_alert_types).toEqual(health.alert_types);
    expect(health).toMatchObject({
      status: "healthy",
      service: "awoooi",
      sources: expect.arrayContaining(["alertmanager", "generic", "signal"]),
    });
    for (const type of ["k8s_pod_crash", "high_cpu", "db_connection_timeout", "custom"])
      expect(health.alert_types).toContain(type);
  });
});

describe("an alert that does not say when it began", () => {
  it("counts with each call", async () => {
    await start();
    const answers = [await send(ALERT), await send(ALERT), await send([ALERT, ALERT])];
    expect(answers.map(({ body }) => body.hit_count)).toEqual([1, 2, 4]);
    const started = { ...ALERT, startsAt: "2026-05-04T07:00:00Z" };
    expect((await send(started)).body.hit_count).toBe(5);
    expect((await send(started)).body.hit_count).toBe(5);
  });

  it("counts once for all calls with one key, also at once and after a restart", async () => {
    await start();
    const answers = await Promise.all(Array.from({ length: 5 }, () => send(ALERT, { key: "retry-1" })));
    expect(new Set(answers.map(({ body }) => body.alert_id)).size).toBe(1);
    expect(await hits(answers[0]!)).toBe(1);
    const seen = async () =>
      (await app.admin.get<{ last_seen: string }>(`/incidents/${answers[0]!.body.incident_id}`)).last_seen;
    const before = await seen();
    await app.stop();
    await start();
    const again = await send(ALERT, { key: "retry-1" });
    expect(again.body).toMatchObject({ alert_id: answers[0]!.body.alert_id, hit_count: 1 });
    expect((await seen()) > before).toBe(true);
    expect((await send(ALERT, { key: "retry-2" })).body.hit_count).toBe(2);
  });

  it("is refused with a key that was another's, which is not journalled", async () => {
    await start();
    await send(ALERT, { key: "taken" });
    const other = { ...ALERT, target_resource: "cart" };
    expect(await send(other, { key: "taken" })).toMatchObject({
      status: 422,
      body: { code: "idempotency_key_reused" },
    });
    expect(await receipts()).toBe(1);
    for (const key of ["a b", "x".repeat(256), "\u00e9"])
      expect(await send(other, { key })).toMatchObject({ status: 422, body: { code: "invalid" } });
    const both = await Promise.all([ALERT, other].map((one) => send(one, { key: "race" })));
    expect(both.map(({ status }) => status).sort()).toEqual([200, 422]);
  });

  it("ends with a resolved notice that does not say it either, however often it was counted", async () => {
    await start();
    const answers = [await send(ALERT), await send(ALERT), await send(ALERT, { key: "one" })];
    const elsewhere = await send({ ...ALERT, target_resource: "cart" });
    const incident_id = answers[0]!.body.incident_id as string;
    const over = await send({ ...ALERT, status: "resolved", severity: "low", message: "calm" });
    expect(over.body).toMatchObject({ incident_id, message: "resolved", hit_count: 3 });
    await incidentIn(app.admin, incident_id, "resolved");
    expect(await app.admin.get(`/incidents/${elsewhere.body.incident_id}`)).toMatchObject({
      status: "investigating",
    });
    // What never fired ends nothing, and is no instance of it.
    expect(
      (await send({ ...ALERT, target_resource: "other", status: "resolved" })).body.incident_id,
    ).toBeNull();
    const { rows } = await database.pool.query(
      "select status, count(*)::int n from alerts group by 1 order by 1",
    );
    expect(rows).toEqual([
      { status: "firing", n: 1 },
      { status: "resolved", n: 3 },
    ]);
  });

  it("is judged in the order of the calls when these are understood together", async () => {
    await start();
    const over = { ...ALERT, status: "resolved" };
    const { body } = await send([ALERT, ALERT, over, ALERT, over]);
    const { rows } = await database.pool.query("select status from alerts");
    expect(rows.map((row) => row.status)).toEqual(["resolved", "resolved", "resolved"]);
    await incidentIn(app.admin, body.incident_id as string, "resolved");
    const back = await send([over, ALERT]);
    expect(back.body.hit_count).toBe(4);
    await incidentIn(app.admin, back.body.incident_id as string, "investigating");
    const firing = await database.pool.query("select 1 from alerts where status = 'firing'");
    expect(firing.rows).toHaveLength(1);
  });
});
