import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningApp } from "../../src/app/app.ts";
import { configSchema } from "../../src/app/config/schema.ts";
import { ADMIN_TOKEN, type Client, databaseAt, incidentIn, QUICK, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { capturedLog } from "../support/log.ts";
import { describedText } from "../support/openapi.ts";

const [OLD_KEY, KEY] = ["R0UT1NGK3Y000000000000000000000A", "R0UT1NGK3Y000000000000000000000B"] as const;
const [TOKEN, SECRET] = ["a-token-of-the-shop", "a-secret-of-the-mill"] as const;
const SHOP = {
  name: "shop",
  tokens: [TOKEN],
  header: "X-Shop-Token",
  alerts: "events",
  fields: {
    alertname: "check",
    status: "state",
    severity: "level",
    target_resource: "host",
    fingerprint: "id",
  },
};
const MILL = { name: "mill", hmac_secrets: [SECRET], fields: { alertname: "name" } };
const YARD = { name: "yard", fields: { alertname: "name" } };

let database: TestDatabase;
let folder: string;
let app: RunningApp & { admin: Client };
let intake: Record<string, unknown> = {
  answer_wait: "2m",
  custom: [SHOP, MILL, YARD],
};
let pagerduty: Record<string, unknown> = { routing_keys: [OLD_KEY, KEY] };
const log = capturedLog();

const settings = () => ({
  admin_token: ADMIN_TOKEN,
  database: databaseAt(database.url),
  server: { port: 0 },
  intake,
  pagerduty,
});
const load = () =>
  configSchema.parse({ ...QUICK, data_dir: folder, notification: { terminal: false }, ...settings() });

beforeAll(async () => {
  database = await createDatabase();
  folder = await temporaryFolder("mapped");
  app = await startTestApp(database.url, folder, { intake, pagerduty }, { log: log.log, load });
});
afterAll(async () => {
  await app.stop();
  await database.drop();
  await clearFolder(folder);
});

type Answer = { status: number; body: Record<string, unknown> };
// From elsewhere: what admits these callers is what they show, not where they are.
const AWAY = { "x-forwarded-for": "203.0.113.9" };

async function send(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${app.url}${path}`, {
    method: "POST",
    headers: { ...AWAY, "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: response.status, body: JSON.parse(await describedText("POST", response)) };
}
const enqueue = (event: object | string) =>
  send(
    "/api/v1/webhooks/pagerduty/v2/enqueue",
    typeof event === "string" ? event : { routing_key: KEY, ...event },
  );
const trigger = (summary: string, more: object = {}) => ({
  event_action: "trigger",
  payload: { summary, source: `host-of-${summary}`, severity: "error", class: summary },
  ...more,
});

type Incident = { incident_id: string; title: string; hit_count: number; acknowledged_at: string | null };
async function incidentOf(name: string): Promise<Incident> {
  const { items } = await app.admin.get<{ items: Incident[] }>(`/incidents?q=${encodeURIComponent(name)}`);
  const found = items.find(({ title }) => title.startsWith(name));
  if (found === undefined) throw new Error(`there is no incident ${name}`);
  return found;
}
const receipts = async () =>
  (await database.pool.query("select source, sender from receipts order by seq")).rows;
const ofReceipts = async (work: () => Promise<unknown>) => {
  const before = (await receipts()).length;
  await work();
  return (await receipts()).slice(before);
};

describe("a client of PagerDuty's events API", () => {
  it("triggers, is answered as by PagerDuty, and counts once however often it sends", async () => {
    const answer = { status: 202, body: { status: "success", message: "Event processed", dedup_key: "k-1" } };
    const taken = await ofReceipts(async () => {
      expect(await enqueue(trigger("PrinterOnFire", { dedup_key: "k-1" }))).toEqual(answer);
      expect(await enqueue(trigger("PrinterOnFire", { dedup_key: "k-1", routing_key: OLD_KEY }))).toEqual(
        answer,
      );
    });
    expect(taken).toEqual([1, 2].map(() => ({ source: "pagerduty", sender: "routing key" })));
    expect(await incidentOf("PrinterOnFire")).toMatchObject({ hit_count: 1, severity: "P1" });
  });

  it("acknowledges, which the timeline says, and resolves by the key alone", async () => {
    const key = { dedup_key: "k-2" };
    await enqueue(trigger("PrinterJammed", key));
    const { incident_id, acknowledged_at } = await incidentOf("PrinterJammed");
    expect(acknowledged_at).toBeNull();
    for (let n = 0; n < 2; n += 1)
      expect(await enqueue({ event_action: "acknowledge", ...key })).toMatchObject({
        status: 202,
        body: key,
      });
    const acknowledged = await app.admin.get(`/incidents/${incident_id}`);
    expect(acknowledged).toMatchObject({ status: "investigating", hit_count: 1, owner: null });
    expect(acknowledged.acknowledged_at).not.toBeNull();
    const { items } = await app.admin.get<{ items: { actor: string; text: string }[] }>(
      `/incidents/${incident_id}/timeline`,
    );
    const said = items.filter(({ text }) => text.startsWith("Acknowledged"));
    expect(said).toMatchObject([{ actor: "pagerduty (sender)", text: "Acknowledged by pagerduty (sender)" }]);
    expect(await enqueue({ event_action: "resolve", ...key })).toMatchObject({ status: 202, body: key });
    await incidentIn(app.admin, incident_id, "resolved");
    // What is over, and what never was: nothing to do, and nothing to complain of.
    for (const dedup_key of ["k-2", "never-heard-of"])
      expect(await enqueue({ event_action: "acknowledge", dedup_key })).toMatchObject({ status: 202 });
    expect((await enqueue({ event_action: "resolve", dedup_key: "never-heard-of" })).status).toBe(202);
  });

  it("that gives no key is given one by which it can resolve", async () => {
    const { body } = await enqueue(trigger("PrinterEmpty"));
    expect((await enqueue(trigger("PrinterEmpty"))).body).toEqual(body);
    const { incident_id, hit_count } = await incidentOf("PrinterEmpty");
    expect(hit_count).toBe(1);
    await enqueue({ event_action: "resolve", dedup_key: body.dedup_key });
    await incidentIn(app.admin, incident_id, "resolved");
  });

  it("may have nothing but our host as its base URL", async () => {
    const body = JSON.stringify({ routing_key: KEY, ...trigger("PrinterLost", { dedup_key: "k-3" }) });
    const response = await fetch(`${app.url}/v2/enqueue`, { method: "POST", body });
    expect([response.status, await response.json()]).toEqual([
      202,
      expect.objectContaining({ dedup_key: "k-3" }),
    ]);
    expect(await incidentOf("PrinterLost")).toMatchObject({ hit_count: 1 });
  });

  it("is told what is wrong with an event, which is kept, without its routing key", async () => {
    const refused = await enqueue({ event_action: "trigger", payload: {}, note: "kept" });
    expect(refused).toEqual({
      status: 400,
      body: {
        status: "invalid event",
        message: "Event object is invalid",
        errors: ["'payload.summary' is missing or blank"],
      },
    });
    type Letters = { items: { dead_letter_id: string; error: string }[] };
    const { items } = await app.admin.get<Letters>("/dead-letters?source=pagerduty");
    expect(items).toMatchObject(
      [{ error: refused.body.errors }].map(({ error }) => ({ error: (error as string[])[0] })),
    );
    const letter = await app.admin.get<{ body: string }>(`/dead-letters/${items[0]?.dead_letter_id}`);
    expect(JSON.parse(letter.body)).toMatchObject({ note: "kept", routing_key: "[redacted]" });
  });

  it("is refused with another key, and nothing of it is kept or told", async () => {
    const taken = await ofReceipts(async () => {
      for (const routing_key of ["", "wrong", KEY.toLowerCase(), null, [KEY]])
        expect(await enqueue({ ...trigger("Forged"), routing_key })).toMatchObject({
          status: 401,
          body: { code: "unauthenticated" },
        });
      for (const body of ["[]", "5", "null"]) expect(await enqueue(body)).toMatchObject({ status: 401 });
      expect(await enqueue("{")).toMatchObject({ status: 400, body: { code: "unparsable" } });
    });
    expect(taken).toEqual([]);
  });
});

describe("a mapped source", () => {
  const event = (state: string) => ({
    events: [{ check: "ShopDown", state, level: "critical", host: "shop-1", id: "e-1" }],
  });
  const bearer = { authorization: `Bearer ${TOKEN}` };

  it("fires and resolves under its own name, counting once", async () => {
    const taken = await ofReceipts(async () => {
      const answers = [
        await send("/api/v1/webhooks/custom/shop", event("bad"), bearer),
        await send("/api/v1/webhooks/custom/shop", event("bad"), { "x-shop-token": TOKEN }),
      ];
      expect(answers.map(({ status, body }) => [status, body.hit_count])).toEqual([
        [200, 1],
        [200, 1],
      ]);
    });
    expect(taken).toEqual([1, 2].map(() => ({ source: "custom:shop", sender: "token" })));
    const { incident_id } = await incidentOf("ShopDown");
    const { items } = await app.admin.get<{ items: object[] }>(`/incidents/${incident_id}/alerts`);
    expect(items).toMatchObject([
      { source: "custom:shop", severity: "P0", target_resource: "shop-1", deliveries: 2 },
    ]);
    await send("/api/v1/webhooks/custom/shop", event("ok"), bearer);
    await incidentIn(app.admin, incident_id, "resolved");
    const metrics = await (await fetch(`${app.url}/metrics`)).text();
    expect(metrics).toContain('awoooi_alerts_received_total{source="custom:shop",status="firing"} 2');
  });

  it("is admitted by its own secrets only; one that has none as signed alerts are", async () => {
    const path = "/api/v1/webhooks/custom/";
    const signature = (secret: string) => ({
      "x-signature-256": `sha256=${createHmac("sha256", secret).update('{"name":"M"}').digest("hex")}`,
    });
    const codes = async (name: string, headers: Record<string, string>) => {
      const { status, body } = await send(path + name, '{"name":"M"}', headers);
      return [status, body.code];
    };
    expect(await codes("shop", {})).toEqual([401, "unauthenticated"]);
    expect(await codes("shop", signature(SECRET))).toEqual([401, "unauthenticated"]);
    expect(await codes("mill", bearer)).toEqual([401, "signature_invalid"]);
    expect(await codes("mill", signature(TOKEN))).toEqual([401, "signature_invalid"]);
    expect((await codes("mill", signature(SECRET)))[0]).toBe(200);
    expect(await codes("yard", {})).toEqual([403, "untrusted_sender"]);
    expect((await send(`${path}shop`, {})).body.detail).toContain(
      "`Authorization: Bearer TOKEN` or the token in `X-Shop-Token`",
    );
    expect((await send(`${path}yard`, {})).body.detail).toContain("`Authorization: Bearer TOKEN`");
    for (const name of ["nobody", "constructor", "shop%00", "..%2falerts"])
      expect(await codes(name, bearer)).toEqual([404, "not_found"]);
    // A name that anyone may make up becomes no source: neither a label nor a row of the record.
    const metrics = await (await fetch(`${app.url}/metrics`)).text();
    expect(metrics).toContain('awoooi_calls_refused_total{source="custom",reason="not_found"} 4');
    expect(metrics).not.toMatch(/nobody|constructor/);
  });

  it("keeps as a dead letter what its map finds nothing in", async () => {
    expect((await send("/api/v1/webhooks/custom/shop", { other: 1 }, bearer)).status).toBe(200);
    const { items } = await app.admin.get<{ items: { error: string }[] }>("/dead-letters?source=custom:shop");
    expect(items).toMatchObject([{ error: expect.stringContaining("finds nothing") }]);
  });

  it("changes with the configuration, while the server runs", async () => {
    const fields = { alertname: "headline" };
    intake = { ...intake, custom: [{ ...YARD, name: "dock", tokens: [TOKEN], fields }] };
    pagerduty = {};
    await app.reload();
    expect((await send("/api/v1/webhooks/custom/shop", event("bad"), bearer)).status).toBe(404);
    expect((await send("/api/v1/webhooks/custom/dock", { headline: "DockFull" }, bearer)).status).toBe(200);
    expect(await incidentOf("DockFull")).toMatchObject({ hit_count: 1 });
    expect(await enqueue(trigger("Late"))).toMatchObject({ status: 403, body: { code: "untrusted_sender" } });
  });

  it("has left no secret in the log", () => {
    expect(log.text().length).toBeGreaterThan(0);
    for (const secret of [OLD_KEY, KEY, TOKEN, SECRET]) expect(log.text()).not.toContain(secret);
  });
});
