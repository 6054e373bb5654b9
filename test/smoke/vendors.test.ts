import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningApp } from "../../src/app/app.ts";
import { type Client, incidentIn, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { describedText } from "../support/openapi.ts";

const [OLD, SECRET] = ["the-client-secret-until-now", "the-client-secret-from-now-on"];

let database: TestDatabase;
let folder: string;
let app: RunningApp & { admin: Client };

beforeAll(async () => {
  database = await createDatabase();
  folder = await temporaryFolder("vendors");
  app = await startTestApp(database.url, folder, {
    env: "prod",
    sentry: { webhook_secrets: [OLD, SECRET] },
    intake: { answer_wait: "2m", bearer_tokens: ["a-token-of-a-sender"] },
  });
});
afterAll(async () => {
  await database.drop();
  await clearFolder(folder);
});

type Answer = { status: number; body: Record<string, unknown> };

async function send(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${app.url}/api/v1/webhooks${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await describedText("POST", response);
  return { status: response.status, body: JSON.parse(text) as Answer["body"] };
}
const receipts = async () =>
  Number((await database.pool.query("select count(*) from receipts")).rows[0].count);

describe("SigNoz is answered as it expects", () => {
  const alert = (status: string, more: object = {}) => ({
    alertname: "APIHighErrorRate",
    status,
    labels: { service: "checkout" },
    startsAt: "2026-05-04T07:00:00Z",
    ...more,
  });

  it("with the incident of what fires, and whether it is new", async () => {
    const first = await send("/signoz", alert("firing"));
    expect(first.body).toEqual({
      status: "accepted",
      incident_id: expect.stringMatching(/^INC-/),
      is_new: true,
    });
    const { incident_id } = first.body;
    for (const path of ["/signoz", "/signoz/alert"])
      expect((await send(path, alert("firing"))).body).toEqual({
        status: "accepted",
        incident_id,
        is_new: false,
      });
  });

  it("that what does not fire is ignored, which ends it all the same", async () => {
    const { body } = await send("/signoz", alert("firing", { labels: { service: "cart" } }));
    const over = await send("/signoz/alert", alert("resolved", { labels: { service: "cart" } }));
    expect(over.body).toEqual({ status: "ignored", reason: "not firing" });
    await incidentIn(app.admin, body.incident_id as string, "resolved");
    const mixed = { alerts: [alert("resolved"), alert("firing", { labels: { alertname: "Slow" } })] };
    expect((await send("/signoz", mixed)).body).toMatchObject({ status: "accepted", is_new: true });
    expect((await send("/signoz", { not: "an alert" })).body).toEqual({
      status: "accepted",
      incident_id: null,
      is_new: false,
    });
  });
});

describe("Sentry", () => {
  const issue = (id: string, action: string, more: object = {}) => ({
    action,
    data: { issue: { id, title: "TypeError: price", level: "error", project: { slug: "shop" }, ...more } },
  });
  const signature = (body: unknown, secret = SECRET) =>
    createHmac("sha256", secret)
      .update(typeof body === "string" ? body : JSON.stringify(body))
      .digest("hex");
  const signed = (body: unknown, secret?: string) =>
    send("/sentry/error", body, { "sentry-hook-signature": signature(body, secret) });

  it("is told what is new and what is not", async () => {
    const first = await signed(issue("1", "created"));
    const { incident_id } = first.body;
    expect(first).toMatchObject({
      status: 200,
      body: { status: "accepted", incident_id: expect.stringMatching(/^INC-/) },
    });
    const event = { action: "triggered", data: { event: { issue_id: "1", level: "error" } } };
    expect((await signed(event, OLD)).body).toEqual({ status: "deduplicated", incident_id });
    expect((await signed(issue("1", "assigned"))).body).toEqual({ status: "ignored", reason: "no alert" });
    expect((await signed(issue("2", "created"))).body.incident_id).not.toBe(incident_id);
    expect((await signed(issue("1", "resolved"))).body).toEqual({ status: "accepted", incident_id });
    await incidentIn(app.admin, incident_id as string, "resolved");
  });

  it("tells of installations and comments without a trace among the dead letters", async () => {
    const before = await receipts();
    for (const data of [{ installation: { status: "installed" } }, { comment: "seen", issue_id: "1" }])
      expect(await signed({ action: "created", data })).toEqual({
        status: 200,
        body: { status: "ignored", reason: "no alert" },
      });
    expect(await receipts()).toBe(before + 2);
    const { rows } = await database.pool.query(
      "select 1 from receipts where source = 'sentry' and state = 'dead'",
    );
    expect(rows).toEqual([]);
  });

  it("must sign the very body with one of the secrets, from whatever address and with whatever token", async () => {
    const before = await receipts();
    const body = issue("3", "created");
    const wrong: (readonly [Record<string, string>, RegExp])[] = [
      [{}, /missing/],
      [{ authorization: "Bearer a-token-of-a-sender" }, /missing/],
      [{ "x-forwarded-for": "127.0.0.1" }, /missing/],
      [{ "sentry-hook-signature": "" }, /missing/],
      [{ "sentry-hook-signature": `sha256=${signature(body)}` }, /malformed/],
      [{ "x-signature-256": `sha256=${signature(body)}` }, /missing/],
      [{ "sentry-hook-signature": signature(body, "another") }, /does not match/],
      [{ "sentry-hook-signature": signature(body, "") }, /does not match/],
      [{ "sentry-hook-signature": signature(issue("3", "resolved")) }, /does not match/],
      [{ "sentry-hook-signature": signature(`${JSON.stringify(body)} `) }, /does not match/],
    ];
    for (const [headers, words] of wrong)
      expect(await send("/sentry/error", body, headers)).toMatchObject({
        status: 401,
        body: { code: "signature_invalid", detail: expect.stringMatching(words) },
      });
    expect(await receipts()).toBe(before);
    const elsewhere = { "sentry-hook-signature": signature(body), "x-forwarded-for": "203.0.113.9" };
    expect((await send("/sentry/error", body, elsewhere)).status).toBe(200);
  });

  it("is refused in production where no secret is set, and taken from the own network in development", async () => {
    const asks = async (env: string, headers: Record<string, string> = {}) => {
      const other = await startTestApp(database.url, folder, { env });
      const response = await fetch(`${other.url}/api/v1/webhooks/sentry/error`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(issue("4", "created")),
      });
      const answer = (await response.json()) as { code?: string };
      await other.stop();
      return [response.status, answer.code];
    };
    await app.stop();
    expect(await asks("prod", { "sentry-hook-signature": "0".repeat(64) })).toEqual([
      403,
      "untrusted_sender",
    ]);
    expect(await asks("dev")).toEqual([200, undefined]);
    expect(await asks("dev", { "x-forwarded-for": "203.0.113.9" })).toEqual([403, "untrusted_sender"]);
    // Nor from a page that a browser in it shows.
    expect(await asks("dev", { origin: "https://evil.example" })).toEqual([403, "from_web_page"]);
    expect(await asks("dev", { "content-type": "text/plain" })).toEqual([415, "unsupported_media_type"]);
  });
});
