import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { RunningApp } from "../../src/app/app.ts";
import { type Client, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { temporaryFolder } from "../support/folder.ts";
import { openapiDocument } from "../support/openapi.ts";

// What is in every body that nobody has a right to send here.
const MARK = "of-a-stranger";
const KEY = "a-routing-key-of-some-length";
const WRONG = "0".repeat(64);

let database: TestDatabase;
let folder: string;
let app: RunningApp & { admin: Client };
let routes: { method: string; path: string }[];

beforeAll(async () => {
  database = await createDatabase();
  folder = await temporaryFolder("strangers");
  app = await startTestApp(database.url, folder, {
    env: "prod",
    pagerduty: { routing_keys: [KEY] },
    sentry: { webhook_secrets: ["a-secret-of-sentry-of-some-length"] },
    intake: {
      hmac_secrets: ["a-secret-of-senders-of-some-length"],
      custom: [
        { name: "shop", tokens: ["a-token-of-the-shop"], fields: { alertname: "name" } },
        {
          name: "mill",
          hmac_secrets: ["a-secret-of-the-mill-of-some-length"],
          fields: { alertname: "name" },
        },
      ],
    },
  });
  const { paths } = (await openapiDocument()) as { paths: Record<string, Record<string, unknown>> };
  const described = Object.keys(paths).flatMap((path) =>
    path.endsWith("/{name}") && path.includes("/custom/")
      ? ["shop", "mill", "none"].map((name) => path.replace("{name}", name))
      : [path.replaceAll(/\{\w+\}/g, "x")],
  );
  const others = ["/v2/enqueue", "/api/v2/silences", "/api/v2/silence/x", "/nowhere", "/api/v1/nowhere"];
  routes = [...described, ...others, "/api/v1/webhooks/nowhere"].flatMap((path) =>
    ["POST", "PUT", "PATCH", "DELETE"].map((method) => ({ method, path })),
  );
});
afterAll(async () => {
  await app.stop();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

/** Ways to be nobody: nothing is shown, or what is wrong. */
const STRANGERS: Record<string, Record<string, string>> = {
  "shows nothing": {},
  "shows a wrong token": { authorization: `Bearer ${WRONG}` },
  "shows a wrong password": { authorization: `Basic ${Buffer.from(`x:${WRONG}`).toString("base64")}` },
  "shows wrong signatures": { "x-signature-256": `sha256=${WRONG}`, "sentry-hook-signature": WRONG },
  "is a web page": { origin: "https://evil.example" },
};

describe("the body of a stranger", () => {
  it.each(Object.entries(STRANGERS))("who %s is made into nothing, on any route", async (_who, headers) => {
    const parse = vi.spyOn(JSON, "parse");
    try {
      for (const { method, path } of routes)
        for (const more of [{}, { routing_key: `${KEY}x` }]) {
          const { status } = await fetch(app.url + path, {
            method,
            headers: { "x-forwarded-for": "203.0.113.9", "content-type": "application/json", ...headers },
            body: JSON.stringify({ note: MARK, ...more }),
          });
          expect([method, path, [401, 403, 404, 405].includes(status)]).toEqual([method, path, true]);
        }
      const read = parse.mock.calls.filter(([text]) => String(text).includes(MARK));
      expect(read).toEqual([]);
    } finally {
      parse.mockRestore();
    }
    expect((await database.pool.query("select 1 from receipts")).rowCount).toBe(0);
  });

  it("is read where it has the key", async () => {
    const parse = vi.spyOn(JSON, "parse");
    const event = {
      routing_key: KEY,
      event_action: "trigger",
      payload: { summary: MARK, source: "h", severity: "info" },
    };
    const { status } = await fetch(`${app.url}/v2/enqueue`, {
      method: "POST",
      headers: { "x-forwarded-for": "203.0.113.9", "content-type": "application/json" },
      body: JSON.stringify(event),
    });
    const read = parse.mock.calls.filter(([text]) => String(text).includes('"routing_key"'));
    parse.mockRestore();
    expect([status, read.length]).toEqual([202, 1]);
  });
});
