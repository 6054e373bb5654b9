import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../../src/cli/index.ts";
import { alertmanagerBody, post } from "../support/alerts.ts";
import { approvalIn, incidentIn, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { capturedLog } from "../support/log.ts";
import { ScriptedTarget } from "../support/scripted-executor.ts";
import { until } from "../support/until.ts";

/** What the server is configured with. Nobody is ever shown any of it. */
const CONFIGURED = {
  admin: "pl4nted-admin-token-of-more-than-32-characters",
  bearer: "pl4nted-bearer-token",
  basic: "pl4nted-basic-password",
  hook: "pl4nted-hook-secret-16",
  hookPath: "pl4nted-hook-path",
  env: "pl4nted-process-key",
  namedHook: "pl4nted-named-hook-secret",
  namedPath: "pl4nted-named-hook-path",
  custom: "pl4nted-custom-token",
  customHmac: "pl4nted-custom-hmac-secret",
  routing: "pl4nted-routing-key-of-pagers",
  sentry: "pl4nted-sentry-secret",
};

/** What alerts quote. People who may read incidents see it there; it goes nowhere else. */
const QUOTED = {
  password: "pl4nted-alert-password",
  bearer: "pl4nted.alert.bearer",
  aws: "AKIAPL4NTEDEXAMPLE12",
  jwt: "eyJhbGciOiJIUzI1NiJ9.eyJwbDRudGVkIjoxfQ.pl4nted_signature",
  url: "pl4nted-url-password",
  pem: "pl4ntedPEMpl4ntedPEM",
};

let database: TestDatabase;
let folder: string;
let app: Awaited<ReturnType<typeof startTestApp>>;
const log = capturedLog();
const target = new ScriptedTarget();
/** Everything that left the server on the way, by where it went. */
const left: Record<string, string> = { answers: "", terminal: "", hook: "" };
let refusing = true;

const hook = createServer((request, response) => {
  request.setEncoding("utf8").on("data", (chunk: string) => {
    left.hook += chunk;
  });
  request.on("end", () => response.writeHead(refusing ? 500 : 200).end(`refused: token=${CONFIGURED.hook}`));
});

async function ask(path: string, init: RequestInit = {}): Promise<number> {
  const response = await fetch(`${app.url}${path}`, init);
  const text = await response.text();
  left.answers += `${JSON.stringify([...response.headers])}\n${text}\n`;
  return response.status;
}

const admin = { authorization: `Bearer ${CONFIGURED.admin}` };
const summary = [
  `login failed: password=${QUOTED.password}`,
  `Authorization: Bearer ${QUOTED.bearer}`,
  QUOTED.aws,
  QUOTED.jwt,
  `postgresql://app:${QUOTED.url}@db/app`,
  `-----BEGIN PRIVATE KEY-----\n${QUOTED.pem}\n-----END PRIVATE KEY-----`,
].join(" ");

beforeAll(async () => {
  database = await createDatabase();
  folder = await temporaryFolder("secrets");
  await new Promise<void>((resolve) => hook.listen(0, "127.0.0.1", resolve));
  const { port } = hook.address() as AddressInfo;
  app = await startTestApp(
    database.url,
    folder,
    {
      admin_token: CONFIGURED.admin,
      intake: {
        answer_wait: "2m",
        bearer_tokens: [CONFIGURED.bearer],
        basic: [{ username: "am", password: CONFIGURED.basic }],
        custom: [
          {
            name: "shop",
            tokens: [CONFIGURED.custom],
            header: "X-Shop-Token",
            hmac_secrets: [CONFIGURED.customHmac],
            fields: { alertname: "name" },
          },
        ],
      },
      pagerduty: { routing_keys: [CONFIGURED.routing] },
      sentry: { webhook_secrets: [CONFIGURED.sentry] },
      // Its observer throws, now and later.
      verification: { collect: 0 },
      notification: {
        terminal: true,
        webhook: { url: `http://127.0.0.1:${port}/${CONFIGURED.hookPath}?key=1`, secret: CONFIGURED.hook },
        webhooks: [
          {
            name: "security",
            url: `http://127.0.0.1:${port}/${CONFIGURED.namedPath}`,
            secret: CONFIGURED.namedHook,
          },
        ],
      },
      processes: [{ name: "shop", argv: ["/bin/true"], env: { SHOP_KEY: "x", SMTP_PASS: CONFIGURED.env } }],
    },
    {
      log: log.log,
      print: (line) => {
        left.terminal += `${line}\n`;
      },
      adapt: (one) => ({ ...one, executors: [target.executor], observers: [target.observer] }),
    },
  );
});
afterAll(async () => {
  await app.stop();
  await new Promise((resolve) => hook.close(resolve));
  await database.drop();
  await clearFolder(folder);
});

/** Where each dead letter of the sources that have secrets of their own is shown, with its body. */
async function deadLetters(): Promise<string[]> {
  const { rows } = await database.pool.query<{ seq: string }>(
    "select seq from receipts where state = 'dead' and (source = 'pagerduty' or source like 'custom:%')",
  );
  expect(rows).toHaveLength(2);
  return rows.map(({ seq }) => `/api/v1/dead-letters/${seq}`);
}

/** The secrets of `planted` that are in `text`, whole or without their first characters. */
const leaked = (planted: Record<string, string>, text: string) =>
  Object.entries(planted).flatMap(([name, secret]) => (text.includes(secret.slice(3)) ? [name] : []));

describe("secrets", () => {
  it("leave the server by no way, in success and in failure", async () => {
    const { env } = CONFIGURED;
    // An executor that fails and says too much, an observer that throws, a snapshot that cannot be had.
    target.onAct = () => ({
      ok: false,
      sent: true,
      error: `exit code 1: cannot log in with ${env}`,
      stderr: `SHOP_API_KEY=${env}\nkey ${env} was refused\n${summary}`,
    });
    target.executor.dryRun = async () => ({
      checks: [{ name: "program", passed: false, message: `needs ${env}` }],
    });
    target.observer.observe = async () => {
      throw new Error(`probe of http://shop:${env}@127.0.0.1/ failed`);
    };
    const labels = { alertname: "ShopDown", service: "shop", note: `token=${QUOTED.password}` };
    const { body } = await post(app.url, alertmanagerBody([{ labels, summary }]));
    left.answers += JSON.stringify(body);
    const incident_id = body.incident_id as string;
    const { approval_id, plan_hash } = await approvalIn(
      { ...app.admin, get: (path) => adminGet(path) },
      incident_id,
      "pending",
    );
    const json = { ...admin, "content-type": "application/json" };
    const sign = JSON.stringify({ plan_hash, comment: `I use password=${QUOTED.password}` });
    expect(
      await ask(`/api/v1/approvals/${approval_id}/approve`, { method: "POST", headers: json, body: sign }),
    ).toBe(200);
    await until(
      async () => (await database.pool.query("select 1 from executions where status = 'failed'")).rows[0],
      "the execution to fail",
    );
    await until(() => log.text().includes("a notice could not be delivered"), "a notice to fail");
    refusing = false;

    // Callers who give what they should not, where it might be told again.
    expect(
      await ask("/api/v1/incidents", { headers: { authorization: `Bearer x${CONFIGURED.bearer}` } }),
    ).toBe(401);
    expect(await ask(`/nothing/password=${CONFIGURED.basic}/${CONFIGURED.bearer}`)).toBe(404);
    const outside = { "x-forwarded-for": "203.0.113.7", authorization: `Bearer ${CONFIGURED.bearer}x` };
    expect(await ask("/api/v1/webhooks/alertmanager", { method: "POST", headers: outside, body: "{}" })).toBe(
      401,
    );
    const sent = (headers: Record<string, string>, body: object) => ({
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const { custom, customHmac, routing, sentry } = CONFIGURED;
    const not_understood = { why: `${custom} ${customHmac}`, [custom]: sentry };
    const webhooks: [number, string, ReturnType<typeof sent>][] = [
      [401, "custom/shop", sent({ "x-shop-token": `${custom}x` }, not_understood)],
      [200, "custom/shop", sent({ "x-shop-token": custom }, not_understood)],
      [404, `custom/${custom}`, sent({ "x-shop-token": custom }, not_understood)],
      [401, "sentry/error", sent({ "sentry-hook-signature": sentry }, {})],
      [401, "pagerduty/v2/enqueue", sent({}, { routing_key: `${routing}x` })],
      [400, "pagerduty/v2/enqueue", sent({}, { routing_key: routing, event_action: routing })],
    ];
    for (const [status, path, call] of webhooks)
      expect([path, await ask(`/api/v1/webhooks/${path}`, call)]).toEqual([path, status]);

    const broken = `{"password": "${QUOTED.password}", nope`;
    expect(
      await ask("/api/v1/webhooks/alertmanager", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: broken,
      }),
    ).toBe(400);
    expect(await ask("/api/v1/tokens", { method: "POST", headers: json, body: broken })).toBe(400);
    expect(await ask(`/api/v1/incidents?q=${CONFIGURED.admin}&limit=0`, { headers: admin })).toBe(422);

    // Queries that fail quote every parameter: of an alert that cannot be stored, and of a request.
    await database.pool.query("alter table alerts add constraint planted check (alert_name <> 'Refused')");
    const refused = alertmanagerBody([{ labels: { ...labels, alertname: "Refused" }, summary }]);
    left.answers += JSON.stringify((await post(app.url, refused)).body);
    await database.pool.query("alter table timeline rename column text to planted");
    const words = JSON.stringify({ text: `password=${QUOTED.password} ${CONFIGURED.basic}` });
    expect(
      await ask(`/api/v1/incidents/${incident_id}/comment`, { method: "POST", headers: json, body: words }),
    ).toBe(500);
    await database.pool.query("alter table timeline rename column planted to text");

    for (const path of [
      "/api/v1/audit?limit=200",
      `/api/v1/incidents/${incident_id}/timeline`,
      `/api/v1/incidents/${incident_id}/executions`,
      `/api/v1/incidents/${incident_id}/decision`,
      "/api/v1/approvals",
      "/api/v1/tokens",
      "/api/v1/health",
      "/api/v1/openapi.json",
      "/api/v1/sources",
      "/api/v1/sources/refused",
      "/api/v1/dead-letters",
      ...(await deadLetters()),
      "/api/v2/receivers",
      "/metrics",
    ])
      expect([path, await ask(path, { headers: admin })]).toEqual([path, 200]);
    const { rows } = await database.pool.query("select * from receipts where state = 'dead'");
    left.dead = JSON.stringify(rows.map((row: { error: string }) => row.error));
    left.deliveries = JSON.stringify((await database.pool.query("select * from deliveries")).rows);
    left.outbox = JSON.stringify((await database.pool.query("select * from outbox")).rows);
    left.log = log.text();
    left.cli = await cli(["incidents", "ls"], ["audit", "verify"], ["approvals", "show", approval_id]);

    expect(left.dead).toContain("planted");
    for (const part of ["hook", "terminal", "log", "cli", "answers", "deliveries", "outbox"])
      expect([part, (left[part] ?? "").length > 100]).toEqual([part, true]);
    expect(Object.entries(left).map(([part, text]) => [part, leaked(CONFIGURED, text)])).toEqual(
      Object.keys(left).map((part) => [part, []]),
    );
    // The words of an alert are for those who may read incidents, and the person who signed knows their own.
    const { cli: _, answers: __, ...rest } = left;
    expect(Object.entries(rest).map(([part, text]) => [part, leaked(QUOTED, text)])).toEqual(
      Object.keys(rest).map((part) => [part, []]),
    );
    expect(leaked(QUOTED, left.answers?.replaceAll(/"comment":"[^"]*"/g, "") ?? "")).toEqual([]);
  });

  it("are in no sentence about a database that cannot be reached", async () => {
    const url = "postgresql://awoooi:pl4nted-db-password@127.0.0.1:1/awoooi";
    const printed = capturedLog();
    const refusal = await startTestApp(url, folder, {}, { log: printed.log }).then(String, (error: Error) =>
      String(error),
    );
    expect(refusal).toContain("cannot be reached");
    expect(refusal + printed.text()).not.toContain("pl4nted");
  });

  it("do not keep people from reading what an alert says", async () => {
    const { items } = await adminGet<{ items: { incident_id: string }[] }>("/incidents");
    const { incident_id } = items.at(-1) as { incident_id: string };
    const alerts = JSON.stringify(await adminGet(`/incidents/${incident_id}/alerts`));
    expect(leaked(QUOTED, alerts)).toContain("password");
    await incidentIn({ ...app.admin, get: (path) => adminGet(path) }, incident_id, "investigating");
  });
});

async function adminGet<T>(path: string): Promise<T> {
  const response = await fetch(`${app.url}/api/v1${path}`, { headers: admin });
  return (await response.json()) as T;
}

/** What the CLI prints for these commands. */
async function cli(...commands: string[][]): Promise<string> {
  let text = "";
  const write = (part: string) => {
    text += part;
  };
  const env = { AWOOOI_URL: app.url, AWOOOI_TOKEN: CONFIGURED.admin, HOME: join(folder, "home") };
  for (const argv of commands) await runCli(argv, { stdout: write, stderr: write, env } as never);
  return text;
}
