import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCli } from "../../src/cli/index.ts";
import { alertmanagerBody, post } from "../support/alerts.ts";
import { ADMIN_TOKEN, client, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { amtoolBinary } from "../support/prepare.ts";
import { until } from "../support/until.ts";

let folder: string;
let database: TestDatabase;
let app: Awaited<ReturnType<typeof startTestApp>>;
let responder: string;
let viewer: string;

const STARTED = new Date(Date.now() - 60_000).toISOString();

beforeAll(async () => {
  folder = await temporaryFolder("silences");
  database = await createDatabase();
  app = await startTestApp(database.url, folder, {
    env: "prod",
    intake: { answer_wait: "2m", hmac_secrets: ["a-secret"] },
  });
  const tokenOf = async (role: string) =>
    (await app.admin.post<{ token: string }>("/tokens", { name: role, role })).token;
  responder = await tokenOf("responder");
  viewer = await tokenOf("viewer");
});
afterAll(async () => {
  await app?.stop();
  await database.drop();
  await clearFolder(folder);
});

const run = promisify(execFile);

/** Runs Debian's amtool on our server, with this HTTP configuration. */
async function amtool(http: object, ...argv: string[]): Promise<{ code: number; out: string }> {
  const binary = amtoolBinary();
  if (binary === undefined) throw new Error("there is no amtool: run `node test/support/prepare.ts`");
  const file = join(folder, "http.json");
  // JSON is YAML.
  await writeFile(file, JSON.stringify(http));
  const all = [`--alertmanager.url=${app.url}`, `--http.config.file=${file}`, ...argv];
  const env = { PATH: process.env.PATH, HOME: folder };
  return run(binary, all, { env }).then(
    ({ stdout }) => ({ code: 0, out: stdout.trim() }),
    ({ code, stderr }: { code: number; stderr: string }) => ({ code, out: stderr.trim() }),
  );
}
const bearer = (credentials: string) => ({ authorization: { type: "Bearer", credentials } });
const basic = (password: string) => ({ basic_auth: { username: "anyone", password } });

async function awoooi(...argv: string[]): Promise<{ code: number; out: string }> {
  const written: string[] = [];
  const code = await runCli(argv, {
    stdout: (text: string) => written.push(text),
    stderr: (text: string) => written.push(text),
    stdin: [],
    isTTY: false,
    env: { AWOOOI_URL: app.url, AWOOOI_TOKEN: responder },
  } as never);
  return { code, out: written.join("") };
}

const fire = async (alertname: string, labels: Record<string, string> = {}) =>
  (
    await post(
      app.url,
      alertmanagerBody([{ labels: { alertname, severity: "warning", ...labels }, startsAt: STARTED }]),
    )
  ).body;
const firingSilenced = async () =>
  (
    await app.admin.get<{ items: { alert_name: string; silenced_by: unknown }[] }>(
      "/alerts?silenced=true&status=firing",
    )
  ).items;
const incidentNamed = (alertname: string) =>
  until(async () => {
    const { items } = await app.admin.get<{ items: { incident_id: string }[] }>(`/incidents?q=${alertname}`);
    return items[0];
  }, `an incident of ${alertname}`);

test("the real amtool silences, shows, changes and ends, with a responder's token and nobody else's", async () => {
  const id = (
    await amtool(
      bearer(responder),
      "silence",
      "add",
      "alertname=DiskFull",
      "node=~db-.*",
      "severity!=critical",
      "--duration=2h",
      "--author=ignored",
      "--comment=a new disk",
    )
  ).out;
  expect(id).toMatch(/^SIL-[0-9A-Z]{16}$/);
  expect(await app.admin.get(`/silences/${id}`)).toMatchObject({
    status: "active",
    created_by: "responder",
    comment: "a new disk",
    matchers: [
      { name: "alertname", value: "DiskFull", is_regex: false, is_equal: true },
      { name: "node", value: "db-.*", is_regex: true, is_equal: true },
      { name: "severity", value: "critical", is_regex: false, is_equal: false },
    ],
  });
  expect(await fire("DiskFull", { node: "db-1" })).toMatchObject({
    incident_id: null,
    message: `silenced by ${id}`,
  });
  expect((await fire("DiskFull", { node: "web-1" })).incident_id).not.toBeNull();

  const shown = await amtool(bearer(viewer), "silence", "query", "alertname=DiskFull", "-o", "json");
  expect(JSON.parse(shown.out)).toMatchObject([
    { id, status: { state: "active" }, createdBy: "responder", comment: "a new disk" },
  ]);
  expect((await amtool(basic(viewer), "silence", "query", "-q")).out).toBe(id);
  expect((await amtool(basic(viewer), "silence", "query", "alertname=Other", "-q")).out).toBe("");

  // The same silence with another end; its audit says who.
  const updated = await amtool(
    basic(responder),
    "silence",
    "update",
    "--duration=3h",
    "--comment=a larger disk",
    id,
  );
  expect(updated).toEqual({ code: 0, out: expect.stringContaining(id) });
  expect(await app.admin.get(`/silences/${id}`)).toMatchObject({
    status: "active",
    comment: "a larger disk",
  });

  for (const http of [{}, bearer(viewer), basic("wrong-password"), bearer("wrong"), basic("a-secret")]) {
    expect((await amtool(http, "silence", "add", "alertname=X", "--comment=x")).code).not.toBe(0);
    expect((await amtool(http, "silence", "expire", id)).code).not.toBe(0);
  }
  expect((await amtool({}, "silence", "query")).code).not.toBe(0);
  expect((await amtool(bearer(responder), "silence", "add", "alertname=~.*", "--comment=all")).out).toContain(
    "must not match the empty string",
  );

  expect((await amtool(bearer(responder), "silence", "expire", id)).code).toBe(0);
  expect((await amtool(bearer(viewer), "silence", "query", "--expired", "-q")).out).toBe(id);
  expect((await amtool(bearer(viewer), "silence", "query", "-q")).out).toBe("");
  await until(async () => ((await firingSilenced()).length === 0 ? true : undefined), "the alert to come up");
  const { items } = await app.admin.get<{ items: unknown[] }>("/incidents?q=DiskFull");
  expect(items).toHaveLength(2);
});

test("Alertmanager's API answers errors as Alertmanager does", async () => {
  const call = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${app.url}/api/v2${path}`, {
      method,
      headers: {
        authorization: `Bearer ${responder}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, said: text === "" ? null : (JSON.parse(text) as unknown) };
  };
  const from = (seconds: number) => new Date(Date.now() + seconds * 1_000).toISOString();
  const silence = {
    matchers: [{ name: "a", value: "b", isRegex: false }],
    startsAt: from(3_600),
    endsAt: from(7_200),
    createdBy: "x",
    comment: "",
  };
  const made = (await call("POST", "/silences", silence)).said as { silenceID: string };
  expect(await call("GET", `/silence/${made.silenceID}`)).toMatchObject({
    status: 200,
    said: { ...silence, createdBy: "responder", status: { state: "pending" }, matchers: [{ isEqual: true }] },
  });
  // For other alerts it is another silence, and this one ends.
  const other = (
    await call("POST", "/silences", {
      ...silence,
      id: made.silenceID,
      matchers: [{ name: "a", value: "(c", isRegex: false }],
    })
  ).said;
  expect(other).not.toEqual(made);
  expect(await call("GET", `/silence/${made.silenceID}`)).toMatchObject({
    said: { status: { state: "expired" } },
  });
  for (const [body, status] of [
    [{ ...silence, endsAt: from(-1) }, 400],
    [{ ...silence, endsAt: silence.startsAt }, 400],
    [{ ...silence, matchers: [] }, 400],
    [{ ...silence, matchers: [{ name: "a", value: "(", isRegex: true }] }, 400],
    [{ ...silence, matchers: [{ name: "a\0", value: "b", isRegex: false }] }, 400],
    [{ ...silence, matchers: [{ name: "a", value: "\ud800", isRegex: false }] }, 400],
    [{ ...silence, id: "\0" }, 400],
    [{ ...silence, id: "SIL-NONE" }, 404],
    ["{", 400],
    ["[]", 400],
  ] as const) {
    const answer = await call("POST", "/silences", body);
    expect([answer.status, typeof answer.said]).toEqual([status, status === 404 ? "object" : "string"]);
  }
  for (const id of ["SIL-NONE", "%00", "%F0%9F%9A%A8"]) {
    expect(await call("GET", `/silence/${id}`)).toEqual({ status: 404, said: null });
    expect(await call("DELETE", `/silence/${id}`)).toEqual({ status: 404, said: null });
  }
  const ours = { matchers: [{ name: "a", value: "b\0" }], duration: 60, comment: "x" };
  expect((await app.admin.call("POST", "/silences", ours)).status).toBe(422);
  expect((await call("DELETE", `/silence/${made.silenceID}`)).status).toBe(500);
  expect((await call("GET", "/silences?filter=%7B")).status).toBe(400);
});

test("the command line silences by matchers and by incident, lists what is silent, and ends it", async () => {
  const added = await awoooi(
    "silences",
    "add",
    '{job="batch",zone=~"a|b"}',
    "--for",
    "2h",
    "--why",
    "moved",
    "--json",
  );
  const { silence_id } = JSON.parse(added.out) as { silence_id: string };
  await fire("Slow", { job: "batch", zone: "b" });
  const listed = await awoooi("alerts", "ls", "--silenced");
  expect(listed).toMatchObject({ code: 0, out: expect.stringContaining(`silence ${silence_id}`) });
  expect((await awoooi("silences", "ls", "--status", "active")).out).toContain('job="batch",zone=~"a|b"');
  expect((await awoooi("silences", "show", silence_id)).out).toContain("moved");
  expect((await awoooi("silences", "expire", silence_id)).code).toBe(0);
  expect((await awoooi("silences", "expire", silence_id)).code).toBe(5);
  await incidentNamed("Slow");

  await fire("Flaky", { service: "shop" });
  const { incident_id } = await incidentNamed("Flaky");
  expect(
    (await awoooi("silences", "add", "--incident", incident_id, "--for", "1h", "--why", "known")).code,
  ).toBe(0);
  expect((await awoooi("incidents", "show", incident_id)).out).toMatch(/silenced +silence SIL-/);
  expect((await awoooi("silences", "add", 'a=~".*"', "--for", "1h", "--why", "oops")).code).toBe(2);
  expect((await awoooi("silences", "add", "a=", "--for", "1h", "--why", "oops")).code).toBe(2);
  expect((await awoooi("silences", "add", "--for", "1h", "--why", "oops")).code).toBe(2);
  expect(
    (
      await client(app.url, viewer).call("POST", "/silences", {
        matchers: [{ name: "a", value: "b" }],
        duration: 9,
        comment: "x",
      })
    ).status,
  ).toBe(403);
  const metrics = await (
    await fetch(`${app.url}/metrics`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } })
  ).text();
  expect(metrics).toMatch(/awoooi_alerts_silenced_total\{by="silence"\} [1-9]/);
  const { rows } = await database.pool.query(
    "select action, actor, count(*)::int from audit_entries where action like 'silence.%' group by 1, 2 order by 1",
  );
  expect(rows.map((row) => `${row.action} ${row.actor}`)).toEqual([
    "silence.created responder",
    "silence.ended responder",
    "silence.updated responder",
  ]);
});
