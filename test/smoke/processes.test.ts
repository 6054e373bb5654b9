import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import type { RunningApp } from "../../src/app/app.ts";
import { loadConfig } from "../../src/app/config/load.ts";
import { type CliIo, runCli } from "../../src/cli/index.ts";
import type { WireProcess } from "../../src/contract/process.ts";
import type { Reloaded } from "../../src/contract/system.ts";
import { alertmanagerBody, post } from "../support/alerts.ts";
import {
  ADMIN_TOKEN,
  approvalIn,
  type Client,
  concluded,
  databaseAt,
  incidentIn,
  QUICK,
  startTestApp,
} from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { startHost } from "../support/host/index.ts";
import { capturedLog } from "../support/log.ts";
import { freePort } from "../support/ports.ts";
import { until } from "../support/until.ts";

const SERVICE = join(import.meta.dirname, "../../demo/service.ts");

type Settings = Record<string, unknown> & { processes: object[] };

let database: TestDatabase;
let folder: string;
let app: (RunningApp & { admin: Client }) | undefined;
let log: ReturnType<typeof capturedLog>;

beforeEach(async () => {
  database = await createDatabase();
  folder = await temporaryFolder("supervised");
});
afterEach(async () => {
  // Everything that a test has configured is taken down by the product itself.
  const names = app === undefined ? [] : (await list()).map(({ name }) => name);
  for (const name of names) await admin().post(`/processes/${name}/stop`);
  await until(async () => (await list()).every(({ state }) => state === "stopped"), "all to be stopped");
  await app?.stop();
  app = undefined;
  await database.drop();
  await clearFolder(folder);
});

const admin = () => (app as RunningApp & { admin: Client }).admin;
const file = () => join(folder, "awoooi.yaml");
const list = async () => (await admin().get<{ items: WireProcess[] }>("/processes")).items;
const shown = async (name = "shop") => (await list()).find((one) => one.name === name);
/** Its pid, once it runs. */
const running = (name = "shop") => until(async () => (await shown(name))?.pid ?? undefined, `${name} to run`);
const said = () => log.lines().map(({ msg }) => msg);

const put = (settings: Settings) => {
  const common = {
    data_dir: folder,
    admin_token: ADMIN_TOKEN,
    server: { port: 0 },
    notification: { terminal: false },
  };
  return writeFile(
    file(),
    stringify({ ...QUICK, ...common, database: databaseAt(database.url), ...settings }),
  );
};
async function serve(settings: Settings): Promise<void> {
  await put(settings);
  log = capturedLog();
  const load = () => loadConfig({ file: file(), env: {} });
  const attended = settings.processes.map((one) => ({ autostart: true, watch: {}, ...one }));
  app = await startTestApp(
    database.url,
    folder,
    { ...settings, processes: attended },
    { load, log: log.log },
  );
}
const reload = async (settings: Settings) => {
  await put(settings);
  return admin().post<Reloaded>("/config/reload");
};

const idle = (name: string, more: object = {}) => ({ name, argv: ["sleep", "600"], settle_ms: 0, ...more });

async function cli(...argv: string[]) {
  let [out, err] = ["", ""];
  const io: CliIo = {
    env: { AWOOOI_URL: app?.url, AWOOOI_TOKEN: ADMIN_TOKEN },
    stdout(text) {
      out += text;
    },
    stderr(text) {
      err += text;
    },
    stdin: (async function* () {})(),
    isTTY: false,
  };
  const code = await runCli(argv, io);
  return { code, out, err };
}

describe("a supervised process", () => {
  it("is started, breaks without anybody telling, is one incident with an outside alert, and is healed", async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/healthz`;
    await serve({
      processes: [
        {
          name: "shop",
          argv: [process.execPath, SERVICE],
          env: { PORT: String(port) },
          probe: { url, timeout_ms: 500 },
          watch: { interval_ms: 100, failures: 2 },
        },
      ],
    });
    await until(async () => (await shown())?.probe?.ok, "the shop to serve");
    expect(said()).toContain(`started process shop, pid ${await running()}`);
    await fetch(url.replace("/healthz", "/break"), { method: "POST" });
    type Listed = { items: { incident_id: string; operation_target: object; affected_services: string[] }[] };
    const incidents = () => admin().get<Listed>("/incidents");
    const [incident] = await until(async () => {
      const { items } = await incidents();
      return items.length > 0 && items;
    }, "the incident");
    expect(incident).toMatchObject({
      operation_target: { kind: "process", name: "shop" },
      affected_services: ["shop"],
    });
    const labels = {
      alertname: "ServiceUnreachable",
      service: "shop",
      severity: "critical",
      job: "blackbox",
    };
    const outside = await post(app?.url ?? "", alertmanagerBody([{ labels }]));
    const { incident_id = "" } = incident ?? {};
    expect(outside.body).toMatchObject({ incident_id });
    const { approval_id, plan_hash } = await approvalIn(admin(), incident_id, "pending");
    await admin().post(`/approvals/${approval_id}/approve`, { plan_hash });
    await incidentIn(admin(), incident_id, "resolved");
    expect((await concluded(admin(), incident_id)).outcome).toMatchObject({ disposition: "human_approved" });
    await until(async () => (await shown())?.state === "running", "its own alert to end");
    expect((await incidents()).items).toHaveLength(1);
  });

  it("that people have resolved by hand while it is broken is told of again when it is started and broken still", async () => {
    let asked = 0;
    const site = createServer((_request, response) => {
      asked += 1;
      response.writeHead(500).end();
    }).listen(0, "127.0.0.1");
    await once(site, "listening");
    try {
      const { port } = site.address() as AddressInfo;
      const probe = { url: `http://127.0.0.1:${port}/` };
      await serve({ processes: [idle("shop", { probe, watch: { interval_ms: 100, failures: 2 } })] });
      type Listed = { items: { incident_id: string; status: string }[] };
      const incidents = async () => (await admin().get<Listed>("/incidents")).items;
      const [{ incident_id }] = await until(async () => {
        const items = await incidents();
        return items.length > 0 && (items as [Listed["items"][number]]);
      }, "the incident");
      await admin().post(`/incidents/${incident_id}/resolve`, { comment: "known" });
      // Whoever has resolved it knows that it is broken.
      const before = asked;
      await until(() => asked >= before + 6, "looks");
      expect(await incidents()).toMatchObject([{ incident_id, status: "resolved" }]);
      process.kill(await running(), "SIGKILL");
      await until(async () => (await shown())?.pid === null, "its end");
      await admin().post("/processes/shop/start");
      await incidentIn(admin(), incident_id, "investigating");
      const { rows } = await database.pool.query("select status from alerts order by outage");
      expect(rows).toEqual([{ status: "resolved" }, { status: "firing" }]);
    } finally {
      site.close();
    }
  });

  it("is listed, stopped and started at the command line, once for each Idempotency-Key", async () => {
    await serve({ processes: [idle("shop")] });
    const first = await running();
    expect((await cli("processes", "ls")).out).toMatch(
      new RegExp(`^PROCESS +STATE +PID +SINCE +AUTOSTART +REMARKS\\nshop +running +${first} `),
    );
    expect(await cli("processes", "stop", "shop", "--comment", "moving")).toMatchObject({
      code: 0,
      out: "shop is stopped, until it is started.\n",
    });
    expect((await cli("processes", "ls")).out).toMatch(/shop +stopped +- +- +yes +by admin/);
    const { out } = await cli("processes", "start", "shop");
    expect(out).toBe(`shop is running, pid ${(await shown())?.pid}.\n`);
    const keyed = () =>
      fetch(`${app?.url}/api/v1/processes/shop/stop`, {
        method: "POST",
        headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "idempotency-key": "one" },
      });
    expect((await keyed()).status).toBe(200);
    await until(async () => (await shown())?.state === "stopped", "the stop");
    await cli("processes", "start", "shop");
    const again = await keyed();
    expect([again.status, again.headers.get("idempotent-replayed")]).toEqual([200, "true"]);
    expect(await shown()).toMatchObject({ state: "running" });
    await admin().call("PUT", "/freeze", { why: "the database is being moved" });
    expect(await cli("processes", "stop", "shop")).toMatchObject({
      code: 5,
      err: expect.stringContaining("Gate 4: changes are frozen by admin"),
    });
    await admin().call("DELETE", "/freeze");
    expect(await cli("processes", "stop", "elsewhere")).toMatchObject({ code: 4 });
    expect(await cli("processes", "stop", "../tokens")).toMatchObject({ code: 2 });
  });
});

it("says where the whole is of a problem that is too long for the list", async () => {
  const script = "for n in $(seq 40); do echo trouble number $n; done; exit 3";
  await serve({ processes: [{ name: "shop", argv: ["/bin/sh", "-c", script], settle_ms: 60_000 }] });
  await until(async () => (await shown())?.state === "down", "it to be down");
  const { out } = await cli("processes", "ls");
  expect(out).toMatch(/shop +down .*it is not running: shop: started pid .*… \(awoooi diagnose shop\)\n$/);
  expect((await cli("diagnose", "shop")).out).toContain("trouble number 40");
});

describe("a reload", () => {
  it("starts a process that it adds, lets one run on that it changes or takes out, and says so", async () => {
    const [shop, till] = [idle("shop"), idle("till")];
    await serve({ processes: [shop, till] });
    await until(async () => (await list()).every(({ pid }) => pid !== null), "the starts");
    const [first, second] = (await list()).map(({ pid }) => pid);
    const changed = { ...shop, argv: ["sleep", "700"] };
    const answer = await reload({ processes: [changed, idle("cache")] });
    expect(answer.changed).toEqual(["processes"]);
    expect(answer.notes).toEqual([
      `process shop is changed, in effect from its next start; pid ${first} runs on unchanged`,
      `process till is no longer supervised; pid ${second} is left running`,
    ]);
    expect(said()).toEqual(expect.arrayContaining(answer.notes));
    const third = await running("cache");
    await until(() => said().includes(`started process cache, pid ${third}`), "the line");
    expect(await shown()).toMatchObject({ pid: first, changed: true });
    expect(process.kill(second as number, 0)).toBe(true);
    // What runs is found again, and what it is not stays said.
    expect((await reload({ processes: [changed, till, idle("cache")] })).notes).toEqual([]);
    await until(
      () => said().includes(`process till is already running, pid ${second}`),
      "it to be taken over",
    );
    await cli("processes", "stop", "shop");
    await cli("processes", "start", "shop");
    expect(await shown()).toMatchObject({ changed: false });
    expect(
      (await reload({ processes: [{ ...changed, watch: { failures: 5 } }, till, idle("cache")] })).notes,
    ).toEqual([]);
  });

  it("ends an act with the configuration that it began with, and nobody else acts on its target meanwhile", async () => {
    // Does not end when it is told to: stopping lasts until it is killed.
    const stubborn = ["/bin/sh", "-c", "trap 'echo told' TERM; echo ready; while :; do sleep 0.05; done"];
    const shop = { ...idle("shop"), argv: stubborn, stop_timeout_ms: 1_500, watch: { enabled: false } };
    await serve({ processes: [shop] });
    const first = await running();
    const answer = await post(
      app?.url ?? "",
      alertmanagerBody([{ labels: { alertname: "ShopDown", service: "shop" } }]),
    );
    const incident_id = String(answer.body.incident_id);
    const { approval_id, plan_hash } = await approvalIn(admin(), incident_id, "pending");
    await admin().post(`/approvals/${approval_id}/approve`, { plan_hash });
    const log = join(folder, "processes/shop.log");
    await until(async () => (await readFile(log, "utf8")).includes("told"), "the act");
    await reload({ processes: [{ ...shop, argv: ["sleep", "700"] }] });
    await admin().post("/processes/shop/stop");
    await until(async () => {
      const { rows } = await database.pool.query(
        "select 1 from execution_attempts where ended_at is not null",
      );
      return rows.length > 0;
    }, "the end of the act");
    const { rows } = await database.pool.query("select output from executions");
    expect(rows[0].output).toMatch(new RegExp(`^Stopped pid ${first} \\(SIGKILL, .*\\), started pid \\d+$`));
    // It came after the act, and ends what that has started.
    await until(async () => (await shown())?.state === "stopped", "the stop");
    expect(await shown()).toMatchObject({ pid: null, problem: null });
  });

  it("puts hosts in force: added, changed and taken out", async () => {
    const host = await startHost();
    try {
      const { port, user, privateKeyFile: identity_file, knownHostsFile } = host;
      const web = (more: object) => ({
        name: "web1",
        address: "127.0.0.1",
        port,
        user,
        identity_file,
        ...more,
      });
      const ssh = (...hosts: object[]) => ({ known_hosts: [knownHostsFile], connect_timeout: "1m", hosts });
      const looked = () =>
        admin().call("GET", "/diagnosis?kind=host&name=web1") as Promise<{
          status: number;
          body: { findings: { code: string }[] };
        }>;
      await serve({ processes: [] });
      expect((await looked()).status).toBe(422);
      expect((await reload({ processes: [], ssh: ssh(web({})) })).changed).toContain("ssh.hosts");
      const first = await looked();
      expect([first.status, JSON.stringify(first.body).includes("cannot be reached")]).toEqual([200, false]);
      await reload({ processes: [], ssh: ssh(web({ port: await freePort() })) });
      expect((await looked()).body.findings.map(({ code }) => code)).toContain("host_unreachable");
      await reload({ processes: [], ssh: ssh() });
      expect((await looked()).status).toBe(422);
    } finally {
      await host.stop();
    }
  });
});
