import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import type { RunningApp } from "../../src/app/app.ts";
import { loadConfig } from "../../src/app/config/load.ts";
import { alertmanagerBody, post } from "../support/alerts.ts";
import {
  ADMIN_TOKEN,
  type Client,
  databaseAt,
  person,
  QUICK,
  startTestApp,
  unattended,
} from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { between, seededRandom } from "../support/random.ts";
import { type Server, startServer } from "../support/server.ts";
import { until } from "../support/until.ts";

type Status = { hash: string; loaded_at: string };
type Problem = { code: string; detail: string; errors: { path: string; message: string }[] };

let database: TestDatabase;
let folder: string;
let app: RunningApp & { admin: Client };
const levels: string[] = [];

const SENDER = "a-webhook-token-of-some-length";
const [PROCESS] = unattended([{ name: "shop", argv: ["/bin/true"] }]);

/** What every configuration of these tests has in common, and what the server is started with. */
const common = () => ({
  ...QUICK,
  data_dir: folder,
  admin_token: ADMIN_TOKEN,
  database: databaseAt(database.url),
  server: { port: 0 },
  processes: [PROCESS],
  notification: { terminal: false },
});
const put = (settings: object) =>
  writeFile(join(folder, "awoooi.yaml"), stringify({ ...common(), ...settings }));
const load = () => loadConfig({ file: join(folder, "awoooi.yaml"), env: {} });
const status = () => app.admin.get<Status>("/config");
const reload = () => app.admin.call("POST", "/config/reload") as Promise<{ status: number; body: never }>;
const audited = async (action: string): Promise<{ data: Record<string, unknown> }[]> =>
  (await database.pool.query("select data from audit_entries where action = $1 order by seq desc", [action]))
    .rows;

/** Rules and settings from which one can see in every part of a decision whose they are. */
async function setting(name: "a" | "b", signatures: number): Promise<object> {
  const rules = [
    {
      id: `rule_${name}`,
      targets: ["process"],
      keywords: ["down"],
      propose: "process.restart",
      risk: "low",
      reasoning: name,
    },
    { id: "rest", targets: ["any"], propose: "investigate", risk: "low", reasoning: name },
  ];
  const classification = [
    { id: `own_${name}`, words: ["down"], category: `category_${name}`, notification_type: "TYPE-3" },
  ];
  await writeFile(join(folder, `rules-${name}.yaml`), stringify(rules));
  await writeFile(join(folder, `classification-${name}.yaml`), stringify(classification));
  return {
    intake: { ...QUICK.intake, classification: join(folder, `classification-${name}.yaml`) },
    decision: { rules: join(folder, `rules-${name}.yaml`), token_valid: `${signatures}h` },
    approval: { required_signatures: { low: signatures } },
  };
}

beforeAll(async () => {
  database = await createDatabase();
  folder = await temporaryFolder("reload");
  await put({});
  const config = { intake: QUICK.intake, processes: [PROCESS] };
  app = await startTestApp(database.url, folder, config, {
    load,
    setLogLevel: (level) => levels.push(level),
  });
});
afterAll(async () => {
  await app.stop();
  await database.drop();
  await clearFolder(folder);
});
beforeEach(async () => {
  await put({});
  await reload();
});

describe("a reload", () => {
  it("decides every alert by exactly one of two configurations, back and forth under load", async () => {
    const random = seededRandom();
    const settings = { a: await setting("a", 1), b: await setting("b", 3) };
    await put(settings.a);
    expect((await reload()).status).toBe(200);
    let sent = 0;
    const send = async () => {
      const alerts = Array.from({ length: between(random, 1, 3) }, () => {
        sent += 1;
        return { labels: { alertname: `Trouble${sent}Down`, process: "shop", severity: "warning" } };
      });
      expect((await post(app.url, alertmanagerBody(alerts))).status).toBe(200);
    };
    for (let round = 0; round < 12; round += 1) {
      await put(round % 2 === 0 ? settings.b : settings.a);
      const [answer] = await Promise.all([reload(), send(), send(), send()]);
      expect(answer.status).toBe(200);
    }
    const rows = (
      await database.pool.query(`
        select i.alert_category, d.rule_id, d.proposal ->> 'description' as reasoning,
          extract(epoch from d.valid_until - d.created_at) / 3600 as hours,
          (a.plan ->> 'required_signatures')::int as signatures
        from incidents i join decisions d using (incident_id) join approvals a using (incident_id)`)
    ).rows.map((row) => ({ ...row, hours: Number(row.hours) }));
    const as = (name: string, signatures: number) => ({
      alert_category: `category_${name}`,
      rule_id: `rule_${name}`,
      reasoning: name,
      hours: signatures,
      signatures,
    });
    expect(rows).toHaveLength(sent);
    for (const row of rows) expect([as("a", 1), as("b", 3)]).toContainEqual(row);
    expect(new Set(rows.map((row) => row.rule_id)).size).toBe(2);
  });

  it("says which configuration is in force and what it changed, and audits it", async () => {
    const before = await status();
    await put({
      intake: { ...QUICK.intake, bearer_tokens: [SENDER] },
      server: { port: 0, log_level: "debug" },
    });
    const answer = await app.admin.post<Status & { changed: string[] }>("/config/reload");
    expect(answer.changed).toEqual(["intake.bearer_tokens", "server.log_level"]);
    expect(answer.hash).not.toBe(before.hash);
    expect(await status()).toEqual({ hash: answer.hash, loaded_at: answer.loaded_at });
    expect(levels.at(-1)).toBe("debug");
    const [entry] = await audited("config.reloaded");
    expect(entry?.data).toEqual({ from: before.hash, changed: answer.changed });
    expect(JSON.stringify(entry)).not.toContain(SENDER);
    // The same again changes nothing, and the configuration of before has its hash back.
    expect((await app.admin.post<{ changed: string[] }>("/config/reload")).changed).toEqual([]);
    await put({});
    expect((await app.admin.post<Status>("/config/reload")).hash).toBe(before.hash);
  });

  it("notices that a rule file changed although its name did not", async () => {
    await put(await setting("a", 1));
    await reload();
    await writeFile(
      join(folder, "rules-a.yaml"),
      "- { id: x, targets: [any], propose: investigate, risk: low, reasoning: x }",
    );
    expect(await reload()).toMatchObject({ status: 200, body: { changed: ["decision.rules"] } });
  });

  it("takes effect for senders and for the terms of approvals", async () => {
    const alert = alertmanagerBody([{ labels: { alertname: "ShopDown", process: "shop" } }]);
    await put({ intake: { ...QUICK.intake, trusted_networks: [] } });
    await reload();
    expect((await post(app.url, alert)).status).toBe(403);
    await put({});
    await reload();
    expect((await post(app.url, alert)).status).toBe(200);
  });

  it.each<[string, () => Promise<unknown>, string, string[]]>([
    ["no YAML", () => writeFile(join(folder, "awoooi.yaml"), "a: ["), "invalid", []],
    [
      "wrong settings",
      () => put({ decision: { mode: "always" }, sweeep: {} }),
      "invalid",
      ["decision.mode", "sweeep"],
    ],
    [
      "rules that are not there",
      () => put({ decision: { mode: "shadow", rules: join(folder, "none.yaml") } }),
      "invalid",
      [],
    ],
    [
      "rules that are wrong",
      async () => {
        await writeFile(join(folder, "wrong.yaml"), "- { id: x }");
        await put({ decision: { mode: "shadow", rules: join(folder, "wrong.yaml") } });
      },
      "invalid",
      ["0.targets", "0.propose"],
    ],
    ["a network that is none", () => put({ intake: { trusted_networks: ["10.0.0.0/40"] } }), "invalid", []],
    [
      "settings that need a restart",
      () =>
        put({
          env: "prod",
          data_dir: "/elsewhere",
          server: { port: 1, host: "127.0.0.2", log_level: "error" },
          database: databaseAt("postgresql://elsewhere/db"),
          admin_token: "another-admin-token-of-forty-characters",
          decision: { mode: "shadow" },
        }),
      "restart_needed",
      ["admin_token", "data_dir", "database.url", "env", "server.host", "server.port"],
    ],
  ])("with %s is refused and leaves everything as it was", async (_what, change, code, paths) => {
    const before = await status();
    const refusals = (await audited("config.reload_refused")).length;
    await change();
    const { body } = await reload();
    const problem = body as Problem;
    expect(problem.code).toBe(code);
    const told = (problem.errors ?? []).map((error) => error.path);
    if (code === "restart_needed") expect(told).toEqual(paths);
    else expect(told).toEqual(expect.arrayContaining(paths));
    expect(JSON.stringify(problem)).not.toContain("another-admin-token");
    expect(await status()).toEqual(before);
    const entries = await audited("config.reload_refused");
    expect(entries.length).toBe(refusals + 1);
    expect(entries[0]?.data).toMatchObject({ reason: problem.detail });
    const alertname = `Still${refusals}Down`;
    const answer = await post(app.url, alertmanagerBody([{ labels: { alertname, process: "shop" } }]));
    expect(answer).toMatchObject({ status: 200, body: { approval_created: true } });
  });

  it("is the admin's", async () => {
    const approver = await person(app, "an approver", "approver");
    expect((await approver.call("POST", "/config/reload")).status).toBe(403);
    expect((await approver.call("GET", "/config")).status).toBe(403);
  });

  it("goes one after the other, and the last file wins", async () => {
    const settings = [await setting("a", 1), await setting("b", 3)];
    for (const one of settings) await put(one);
    const answers = await Promise.all(Array.from({ length: 8 }, reload));
    expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => 200));
    const hashes = answers.map((answer) => (answer.body as Status).hash);
    expect(new Set(hashes).size).toBe(1);
    expect((await status()).hash).toBe(hashes[0]);
  });
});

describe("SIGHUP", () => {
  let server: Server;
  afterAll(() => server.stop());

  it("reloads the file, and a broken one changes nothing", async () => {
    const own = await createDatabase();
    const place = await temporaryFolder("hangup");
    try {
      const settings = { server: { port: 0 }, database: { url: own.url } };
      server = await startServer(place, settings);
      const file = join(place, "awoooi.yaml");
      const state = () => server.admin.get<Status>("/config");
      const { hash } = await state();
      const write = (more: object) =>
        writeFile(file, stringify({ data_dir: join(place, "data"), ...settings, ...more }));
      await write({ decision: { mode: "shadow" } });
      process.kill(server.pid, "SIGHUP");
      const changed = await until(async () => {
        const now = await state();
        return now.hash === hash ? undefined : now;
      }, "the reload");
      await write({ decision: { mode: "nonsense" } });
      process.kill(server.pid, "SIGHUP");
      await until(() => server.output().includes("was not reloaded"), "the refusal");
      expect(server.output()).toContain("decision.mode");
      expect(await state()).toEqual(changed);
    } finally {
      await server?.stop();
      await own.drop();
      await clearFolder(place);
    }
  });
});
