import { randomBytes } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RunningApp } from "../../src/app/app.ts";
import { configSchema } from "../../src/app/config/schema.ts";
import { exportTo, importFrom } from "../../src/app/export-import.ts";
import { silentLog } from "../../src/lib/log.ts";
import { alertmanagerBody, post } from "../support/alerts.ts";
import { approvalIn, type Client, incidentIn, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { temporaryFolder } from "../support/folder.ts";
import { ScriptedTarget } from "../support/scripted-executor.ts";
import { until } from "../support/until.ts";

type App = RunningApp & { admin: Client };

let folder: string;
let from: TestDatabase;
let to: TestDatabase;
let target: ScriptedTarget;
let app: App | undefined;

async function start(database: TestDatabase): Promise<App> {
  app = await startTestApp(
    database.url,
    folder,
    { processes: [{ name: "shop", argv: ["/bin/true"] }], execution: { retry_wait: "1s" } },
    { adapt: (adapters) => ({ ...adapters, executors: [target.executor], observers: [target.observer] }) },
  );
  return app;
}
async function stop(): Promise<void> {
  await app?.stop();
  app = undefined;
}
const move = (database: TestDatabase, file: string) => ({
  config: configSchema.parse({ data_dir: folder, database: { url: database.url } }),
  log: silentLog,
  file,
});
const out = (database: TestDatabase, file: string) => exportTo(move(database, file), new PassThrough());
const into = (database: TestDatabase, file: string) => importFrom(move(database, file), Readable.from([]));
const fired = async (at: App, name: string) => {
  const labels = { alertname: name, service: "shop", severity: "critical" };
  return (await post(at.url, alertmanagerBody([{ labels }]))).body.incident_id as string;
};

/** Every row of every table, as PostgreSQL writes it, and where the sequences stand. */
async function everything(database: TestDatabase): Promise<Record<string, unknown>> {
  const { rows: tables } = await database.pool.query(`
    select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname in ('public', 'dbos') and tablename not like '%migrations'
       -- How many servers a database has had is its own.
       and tablename <> 'server_epoch' order by 1`);
  const all: Record<string, unknown> = {};
  for (const { name } of tables)
    all[name] = (await database.pool.query(`select t::text as row from ${name} t order by 1`)).rows;
  const sequences = "select schemaname, sequencename, last_value from pg_sequences order by 1, 2";
  return { ...all, sequences: (await database.pool.query(sequences)).rows };
}

beforeAll(async () => {
  folder = await temporaryFolder("move");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("moving house", () => {
  beforeEach(async () => {
    [from, to] = [await createDatabase(), await createDatabase()];
    target = new ScriptedTarget();
  });
  afterEach(async () => {
    await stop();
    await from.drop();
    await to.drop();
  });

  it("takes everything along: what is over, what waits for people, and what is under way", async () => {
    const file = join(folder, "all.gz");
    target.onAct = (count) => {
      if (count === 1) return { ok: false, error: "connection refused", sent: false };
      target.healthy = true;
      return { ok: true, output: "restarted" };
    };
    const old = await start(from);
    await fetch(`${old.url}/api/v1/webhooks/alertmanager`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "no JSON \u0000 \ud83d\ude00",
    });
    await post(old.url, { no: "alerts" });
    const acting = await fired(old, "ShopDown");
    const { approval_id, plan_hash } = await approvalIn(old.admin, acting, "pending");
    await old.admin.post(`/approvals/${approval_id}/approve`, {
      plan_hash,
      comment: 'tab\t, "quote", \\ and 事故',
    });
    await until(async () => {
      const { rows } = await from.pool.query("select 1 from execution_attempts where outcome = 'failed'");
      return rows.length === 1;
    }, "the first attempt, which is to be tried again");
    const waiting = await fired(old, "ShopSlow");
    const asked = await approvalIn(old.admin, waiting, "pending");
    await stop();
    await from.pool.query(
      "insert into receipts (source, sender, body, received_at, state) values ('x', 'x', $1, now(), 'dead')",
      [randomBytes(100_000)],
    );

    const exported = await out(from, file);
    expect(exported).toMatchObject({
      served: false,
      tables: { "public.incidents": 2, "public.approvals": 2 },
    });
    expect(exported.tables["dbos.workflow_status"]).toBeGreaterThan(1);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const imported = await into(to, file);
    expect(imported).toMatchObject({ tables: exported.tables, ledger: { broken_at: null } });
    expect(await everything(to)).toEqual(await everything(from));

    const fresh = await start(to);
    await incidentIn(fresh.admin, acting, "resolved");
    expect(target.acts.map((run) => run.attempt)).toEqual([1, 2]);
    target.healthy = false;
    expect(await fired(fresh, "ShopSlow")).toBe(waiting);
    expect(await fresh.admin.get(`/incidents/${waiting}`)).toMatchObject({ hit_count: 1 });
    await fresh.admin.post(`/approvals/${asked.approval_id}/approve`, { plan_hash: asked.plan_hash });
    await incidentIn(fresh.admin, waiting, "resolved");
    expect(target.acts).toHaveLength(3);
    expect(await fresh.admin.get("/audit/verify")).toMatchObject({ broken_at: null });
  });

  it("gives what an earlier installation wrote the names that it has now", async () => {
    const old = await start(from);
    const id = await fired(old, "ShopDown");
    await stop();
    await from.pool.query("update incidents set status = 'open', severity = 'critical'");
    await from.pool.query("update alerts set severity = 'Critical'");
    const file = join(folder, "old.gz");
    await out(from, file);
    await into(to, file);
    const { rows } = await to.pool.query(
      "select i.status, i.severity, a.severity as worst from incidents i join alerts a using (incident_id)",
    );
    expect(rows).toEqual([{ status: "investigating", severity: "P0", worst: "P0" }]);
    const fresh = await start(to);
    expect(await fired(fresh, "ShopDown")).toBe(id);
    expect(await fresh.admin.get("/incidents?severity=P0")).toMatchObject({ items: [{ incident_id: id }] });
  });

  it("imports a whole file or nothing of it, and only where there is nothing yet", async () => {
    const old = await start(from);
    for (const name of ["ShopDown", "ShopSlow"]) await fired(old, name);
    await stop();
    const file = join(folder, "whole.gz");
    await out(from, file);
    const whole = readFileSync(file);
    const lines = gunzipSync(whole).toString("utf8").trimEnd().split("\n");
    const at = lines.findIndex((line) => line.includes('"public.incidents"'));
    const zip = (changed: string[]) => gzipSync(`${changed.join("\n")}\n`);
    const empty = await everything(to);
    const bad: Record<string, [Buffer, RegExp]> = {
      "cut off": [whole.subarray(0, whole.length / 2), /unexpected end of file/],
      "cut off in its last byte": [whole.subarray(0, -1), /unexpected end of file/],
      "without its end": [zip(lines.slice(0, -1)), /its end is missing/],
      "without a row": [zip(lines.toSpliced(at + 1, 1)), /foreign key/],
      "with a row changed": [
        zip(lines.with(at + 1, (lines[at + 1] ?? "").replace("Shop", "Snob"))),
        /checksum/,
      ],
      "with more after its end": [zip([...lines, "{}"]), /after its end/],
      "with two rows in a line": [
        zip(lines.toSpliced(at + 1, 2, `${lines[at + 1]},${lines[at + 2]}`)),
        /one row/,
      ],
      "of another kind": [gzipSync("hello\nworld\n"), /its beginning cannot be read/],
      "not zipped": [Buffer.from("hello\n"), /incorrect header/],
      empty: [gzipSync(""), /empty/],
    };
    const broken = join(folder, "broken.gz");
    for (const [what, [content, why]] of Object.entries(bad)) {
      writeFileSync(broken, content);
      const refused = await into(to, broken).then(
        () => "imported",
        (error: { code: string; message: string }) => error,
      );
      expect(refused, what).toMatchObject({ code: "invalid", message: expect.stringMatching(why) });
      expect(refused, what).toHaveProperty("message", expect.stringContaining("Nothing was imported"));
    }
    const head = JSON.parse(lines[0] ?? "");
    const other = { ...head, schema: { ...head.schema, latest: "0" } };
    writeFileSync(broken, zip(lines.with(0, JSON.stringify(other))));
    await expect(into(to, broken)).rejects.toMatchObject({ code: "conflict" });
    expect(await everything(to)).toEqual(empty);

    await into(to, file);
    const moved = await everything(to);
    const again = into(to, file);
    await expect(again).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("incidents (2)"),
    });
    expect(await everything(to)).toEqual(moved);
  });

  it("takes rows of any size, in pages, and says where there is nothing to export", async () => {
    await from.pool.query(`insert into receipts (source, sender, body, received_at, state)
      select 's', 's' || i, case when i % 500 = 0 then convert_to(repeat('x' || i, 30000), 'utf8') else '\\x00ff0a' end,
             now(), 'processed' from generate_series(1, 3000) i`);
    await from.pool.query("delete from receipts where seq > 2990");
    const file = join(folder, "rows.gz");
    expect(await out(from, file)).toMatchObject({
      rows: expect.any(Number),
      tables: { "public.receipts": 2_990 },
    });
    await expect(out(from, file)).rejects.toMatchObject({ code: "conflict" });
    await into(to, file);
    expect(await everything(to)).toEqual(await everything(from));
    // Numbers that were given once are not given again.
    const { rows } = await to.pool.query(
      "insert into receipts (source, sender, body, received_at) values ('s', 's', '', now()) returning seq",
    );
    expect(rows).toEqual([{ seq: "3001" }]);
    const nowhere = { ...move(from, "none.gz"), config: configSchema.parse({ data_dir: folder }) };
    await expect(exportTo(nowhere, new PassThrough())).rejects.toMatchObject({ code: "not_found" });
    await from.pool.query("drop table schema_migrations");
    await expect(out(from, join(folder, "none.gz"))).rejects.toMatchObject({ code: "not_found" });
  });
});
