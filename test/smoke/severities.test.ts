import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import type { RunningApp } from "../../src/app/app.ts";
import { loadConfig } from "../../src/app/config/load.ts";
import { alertmanagerBody } from "../support/alerts.ts";
import { ADMIN_TOKEN, type Client, databaseAt, QUICK, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { until } from "../support/until.ts";

let database: TestDatabase;
let folder: string;
let app: RunningApp & { admin: Client };
let count = 0;

const MAPPED = { name: "shop", fields: { alertname: "name", severity: "level" } };
const intake = (severities: object = {}) => ({ ...QUICK.intake, custom: [MAPPED], severities });
const file = () => join(folder, "awoooi.yaml");
const put = (severities: object) =>
  writeFile(
    file(),
    stringify({
      ...QUICK,
      data_dir: folder,
      admin_token: ADMIN_TOKEN,
      database: databaseAt(database.url),
      server: { port: 0 },
      notification: { terminal: false },
      intake: intake(severities),
    }),
  );

beforeAll(async () => {
  database = await createDatabase();
  folder = await temporaryFolder("severities");
  await put({});
  const load = () => loadConfig({ file: file(), env: {} });
  app = await startTestApp(database.url, folder, { intake: intake() }, { load });
});
afterAll(async () => {
  await app.stop();
  await database.drop();
  await clearFolder(folder);
});

const alert = (name: string, severity: string) => ({
  labels: { alertname: name, severity, namespace: name.toLowerCase() },
});

/** How each source says it, and by what path below `/api`. */
const SOURCES: Record<string, (name: string, word: string) => [string, unknown]> = {
  alertmanager: (name, word) => ["/v1/webhooks/alertmanager", alertmanagerBody([alert(name, word)])],
  grafana: (name, word) => ["/v1/webhooks/grafana", alertmanagerBody([alert(name, word)])],
  signoz: (name, word) => [
    "/v1/webhooks/signoz",
    { status: "firing", alertname: name, ...alert(name, word) },
  ],
  prometheus: (name, word) => ["/v2/alerts", [alert(name, word)]],
  generic: (name, word) => ["/v1/webhooks/alerts", { message: name, severity: word, ...alert(name, word) }],
  signal: (name, word) => ["/v1/webhooks/signals", { alert_name: name, severity: word, source: "test" }],
  pagerduty: (name, word) => [
    "/v1/webhooks/pagerduty/v2/enqueue",
    {
      routing_key: "any",
      event_action: "trigger",
      payload: { summary: name, class: name, source: name, severity: word },
    },
  ],
  sentry: (name, word) => [
    "/v1/webhooks/sentry/error",
    { action: "created", data: { issue: { id: name, title: name, level: word, metadata: { type: name } } } },
  ],
  custom: (name, word) => ["/v1/webhooks/custom/shop", { name, level: word }],
};

/** The severity and the type of what comes of an alert with this word. */
async function outcomeOf(source: string, word: string): Promise<[string, string]> {
  count += 1;
  const name = `Trouble${count}X`;
  const [path, body] = SOURCES[source]!(name, word);
  const response = await fetch(`${app.url}/api${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(response.status, await response.text()).toBeLessThan(300);
  return until(async () => {
    const { rows } = await database.pool.query(
      `select i.severity, i.notification_type from alerts a join incidents i using (incident_id)
        where a.alert_name = $1`,
      [name],
    );
    return rows[0] === undefined ? undefined : [rows[0].severity, rows[0].notification_type];
  }, `${name} of ${source} to be an incident`);
}

const WORDS: [string, string, string][] = [
  ["page", "P0", "TYPE-3"],
  ["FATAL", "P0", "TYPE-3"],
  ["sev-1", "P0", "TYPE-3"],
  ["error", "P1", "TYPE-3"],
  ["Average", "P2", "TYPE-3"],
  ["panic", "P2", "TYPE-3"],
  ["minor", "P3", "TYPE-3"],
  ["notice", "P3", "TYPE-3"],
  ["info", "P3", "TYPE-1"],
  ["none", "P3", "TYPE-1"],
];

describe.each(Object.keys(SOURCES))("a sender's word for how bad it is, of %s", (source) => {
  it("means what the one table says", async () => {
    const found: [string, string, string][] = [];
    for (const [word] of WORDS) found.push([word, ...(await outcomeOf(source, word))]);
    expect(found).toEqual(WORDS);
  });
});

it("means what the installation says, from the next reload on", async () => {
  await put({ panic: "P0", Minor: "P1" });
  const { changed } = await app.admin.post<{ changed: string[] }>("/config/reload");
  expect(changed).toEqual(["intake.severities.Minor", "intake.severities.panic"]);
  for (const source of Object.keys(SOURCES))
    expect([await outcomeOf(source, "PANIC"), await outcomeOf(source, "minor")]).toEqual([
      ["P0", "TYPE-3"],
      ["P1", "TYPE-3"],
    ]);
  await put({ panic: "P0", " Pa-nic": "P1" });
  expect((await app.admin.call("POST", "/config/reload")).status).toBe(422);
});
