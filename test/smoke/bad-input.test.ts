import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SOURCES } from "../../src/app/adapters.ts";
import type { RunningApp } from "../../src/app/app.ts";
import { insertReceipts } from "../../src/intake/store.ts";
import { alertmanagerBody, post } from "../support/alerts.ts";
import { ADMIN_TOKEN, type Client, person, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { describedText } from "../support/openapi.ts";
import { eventually } from "../support/until.ts";

type Problem = { status: number; code: string; type: string; detail: string; errors?: { path: string }[] };

let database: TestDatabase;
let folder: string;
let app: RunningApp & { admin: Client };

beforeAll(async () => {
  database = await createDatabase();
  folder = await temporaryFolder("bad-input");
  app = await startTestApp(database.url, folder, {
    intake: { body_limit: 100_000, bearer_tokens: ["a-webhook-token-of-some-length"] },
  });
});
afterAll(async () => {
  await app.stop();
  await database.drop();
  await clearFolder(folder);
});

async function ask(
  method: string,
  path: string,
  init: RequestInit = {},
): Promise<{ response: Response; problem: Problem }> {
  const response = await fetch(`${app.url}${path}`, { method, ...init });
  const text = await describedText(method, response);
  expect(text).not.toMatch(/\bat .*\.(ts|js):\d+/);
  return { response, problem: (text === "" ? {} : JSON.parse(text)) as Problem };
}

const json = { "content-type": "application/json" };
const admin = { authorization: `Bearer ${ADMIN_TOKEN}` };
const HOOK = "/api/v1/webhooks/alertmanager";
const APPROVE = "/api/v1/approvals/APR-0000000000000000/approve";

describe("bad input gets a clear answer", () => {
  it.each([
    ["unparsable JSON", "POST", HOOK, { headers: json, body: "{nope" }, 400, "unparsable"],
    ["an empty body", "POST", HOOK, { headers: json, body: "" }, 400, "unparsable"],
    ["too large a body", "POST", HOOK, { headers: json, body: `"${"x".repeat(200_000)}"` }, 413, "too_large"],
    [
      "unparsable JSON on our own API",
      "POST",
      APPROVE,
      { headers: { ...json, ...admin }, body: "{" },
      400,
      "unparsable",
    ],
    [
      "another media type",
      "POST",
      APPROVE,
      { headers: { ...admin, "content-type": "text/csv" }, body: "a" },
      415,
      "unsupported_media_type",
    ],
    ["an unknown path", "GET", "/api/v1/nothing", { headers: admin }, 404, "not_found"],
    ["an unknown path outside", "GET", "/etc/passwd", {}, 404, "not_found"],
    ["a wrong method", "GET", HOOK, {}, 405, "method_not_allowed"],
    [
      "a wrong method on our own API",
      "DELETE",
      "/api/v1/incidents",
      { headers: admin },
      405,
      "method_not_allowed",
    ],
    ["no token", "GET", "/api/v1/incidents", {}, 401, "unauthenticated"],
    [
      "a wrong token",
      "GET",
      "/api/v1/incidents",
      { headers: { authorization: "Bearer nobody" } },
      401,
      "unauthenticated",
    ],
    [
      "another scheme",
      "GET",
      "/api/v1/incidents",
      { headers: { authorization: "Basic YTpi" } },
      401,
      "unauthenticated",
    ],
    [
      "an incident that is not there",
      "GET",
      "/api/v1/incidents/INC-20260101-AAAAAA",
      { headers: admin },
      404,
      "not_found",
    ],
    ["an id that is none", "GET", "/api/v1/incidents/a%00b", { headers: admin }, 422, "invalid"],
    [
      "a path that cannot be decoded",
      "GET",
      "/api/v1/incidents/%E0%A4%A",
      { headers: admin },
      400,
      "unparsable",
    ],
    ["a cursor of somebody else", "GET", "/api/v1/incidents?cursor=abcd", { headers: admin }, 422, "invalid"],
    ["a limit out of range", "GET", "/api/v1/incidents?limit=9999", { headers: admin }, 422, "invalid"],
    ["a filter that is none", "GET", "/api/v1/incidents?status=broken", { headers: admin }, 422, "invalid"],
    [
      "an approval that is not there",
      "POST",
      APPROVE,
      { headers: { ...json, ...admin }, body: JSON.stringify({ plan_hash: "0".repeat(64) }) },
      404,
      "not_found",
    ],
    [
      "credentials that are wrong, from outside",
      "POST",
      HOOK,
      { headers: { ...json, "x-forwarded-for": "8.8.8.8", authorization: "Bearer wrong" }, body: "{}" },
      401,
      "unauthenticated",
    ],
    [
      "a forged X-Forwarded-For",
      "POST",
      HOOK,
      { headers: { ...json, "x-forwarded-for": "127.0.0.1" }, body: "{}" },
      403,
      "untrusted_sender",
    ],
  ] as const)("%s", async (_what, method, path, init, status, code) => {
    const { response, problem } = await ask(method, path, init as RequestInit);
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toMatch(/^application\/problem\+json/);
    expect(problem).toMatchObject({ status, code, type: `docs/reference/errors.md#${code}` });
    expect(problem.detail.length).toBeGreaterThan(5);
    if (status === 405) expect(response.headers.get("allow")).toBeTruthy();
  });

  it.each([
    [{}, "plan_hash"],
    [{ plan_hash: 5 }, "plan_hash"],
    [{ plan_hash: "xyz" }, "plan_hash"],
    [{ plan_hash: "0".repeat(64), comment: 7 }, "comment"],
    [{ plan_hash: "0".repeat(64), comment: "a\u0000b" }, "comment"],
    [{ plan_hash: "0".repeat(64), extra: 1 }, ""],
    [[], ""],
    [null, ""],
  ])("names the field that is wrong: %j", async (body, path) => {
    const { problem } = await ask("POST", APPROVE, {
      headers: { ...json, ...admin },
      body: JSON.stringify(body),
    });
    expect(problem).toMatchObject({ status: 422, code: "invalid" });
    expect(problem.errors?.map((error) => error.path)).toContain(path);
  });

  it("refuses a role that is too little, and says which is needed", async () => {
    const viewer = await person(app, "vera", "viewer");
    const answer = await viewer.call("POST", "/tokens", { name: "x", role: "admin" });
    expect(answer.body).toMatchObject({
      status: 403,
      code: "forbidden",
      detail: expect.stringContaining("admin"),
    });
  });

  it("takes what a vendor's parser does not understand as a dead letter, and says so", async () => {
    for (const body of [{}, [], 5, null, "text", { alerts: "none" }, { alerts: [1, null] }]) {
      const answer = await post(app.url, body);
      expect(answer.status).toBe(200);
      expect(answer.body.message).toMatch(/dead letter/);
    }
    const { rows } = await database.pool.query(
      "select count(*)::int as n from receipts where state = 'dead'",
    );
    expect(rows[0].n).toBe(7);
  });

  it("admits a token from outside, and hostile text in every field", async () => {
    const text = `'; drop table incidents; --\u0000\ud800 $(reboot) \`id\` <script> \u202e`;
    const body = alertmanagerBody([
      { labels: { alertname: text, service: text, [text]: text }, summary: text },
    ]);
    const { response } = await ask("POST", HOOK, {
      headers: {
        ...json,
        "x-forwarded-for": "8.8.8.8",
        authorization: "Bearer a-webhook-token-of-some-length",
      },
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(200);
    const { items } = await app.admin.get<{ items: { title: string; decision: { summary: string } }[] }>(
      "/incidents",
    );
    expect(items[0]?.title).toContain("drop table incidents");
    expect(items[0]?.decision.summary).toMatch(/^Investigate/);
  });

  it("takes JSON behind a byte-order mark wherever it takes JSON, and says what other encodings are", async () => {
    const silence = { matchers: [{ name: "a", value: "b" }], duration: 600, comment: "c" };
    const v2 = {
      matchers: [{ name: "a", value: "c", isRegex: false }],
      startsAt: "2030-01-01T00:00:00Z",
      endsAt: "2030-01-01T01:00:00Z",
      comment: "c",
      createdBy: "x",
    };
    const bodies: [string, unknown, Record<string, string>][] = [
      ...SOURCES.flatMap(({ endpoints }) => endpoints)
        .filter(({ path }) => !path.includes(":"))
        .map(({ path }): [string, unknown, Record<string, string>] => [
          path,
          path.startsWith("/api/v2/") ? [] : {},
          {},
        ]),
      ["/api/v2/silences", v2, admin],
      ["/api/v1/silences", silence, admin],
      [APPROVE, { plan_hash: "0".repeat(64) }, admin],
    ];
    const text = (value: unknown, mark: string) => `${mark}${JSON.stringify(value)}`;
    for (const [path, value, more] of bodies)
      for (const type of ["application/json", "application/json; charset=utf-8"]) {
        const headers = { ...more, "content-type": type };
        const sent = async (body: string | Buffer) => {
          const response = await fetch(`${app.url}${path}`, { method: "POST", headers, body });
          return { status: response.status, text: await response.text() };
        };
        const plain = await sent(text(value, ""));
        expect(plain.text).not.toMatch(/not JSON|no body/);
        expect([path, (await sent(text(value, "\ufeff"))).status]).toEqual([path, plain.status]);
        const other = await sent(Buffer.from(text(value, "\ufeff"), "utf16le"));
        expect(other).toEqual({ status: 400, text: expect.stringContaining("UTF-16: send it as UTF-8") });
      }
    // What was written down before a restart is read from its bytes.
    const body = Buffer.from(text(alertmanagerBody([{ labels: { alertname: "Marked" } }]), "\ufeff"));
    const receipt = { source: "alertmanager", sender: "127.0.0.1", body, received_at: new Date() };
    await insertReceipts(database.ctx(), [receipt as never]);
    await eventually(async () =>
      expect((await database.pool.query("select 1 from alerts where alert_name = 'Marked'")).rowCount).toBe(
        1,
      ),
    );
  });

  it("survives what is not even HTTP", async () => {
    const { hostname, port } = new URL(app.url);
    for (const garbage of [
      "\u0000\u0001\u0002\r\n\r\n",
      "GET / HTTP/9.9\r\n\r\n",
      "POST /api/v1/webhooks/alertmanager HTTP/1.1\r\ncontent-length: -5\r\n\r\n",
    ]) {
      const socket = connect(Number(port), hostname);
      await once(socket, "connect");
      socket.end(garbage);
      socket.resume();
      await once(socket, "close");
    }
    expect((await ask("GET", "/api/v1/health/live")).response.status).toBe(200);
  });
});
