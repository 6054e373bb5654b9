import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freePort } from "../../../../test/support/ports.ts";
import { eventually, longEnough, until } from "../../../../test/support/until.ts";
import { silentLog } from "../../../lib/log.ts";
import { effectOf } from "./effect.ts";
import { localProcess } from "./index.ts";
import type { ProcessRecord } from "./process-file.ts";
import { lives, procTable, psTable, systemTable } from "./process-table.ts";

// A carrier is found by its execution among all processes of the machine: no other run may have these.
const RUN = `EXE-${randomUUID()}`;

const IDLE = "setInterval(() => {}, 1_000); console.log('ready');";
const STUBBORN = `process.on("SIGTERM", () => console.log("no")); ${IDLE}`;
const NEVER = new AbortController().signal;

let folder: string;
let stateDir: string;
const bystanders: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "awoooi-processes-"));
  stateDir = join(folder, "state");
});
afterEach(async () => {
  for (const child of bystanders.splice(0)) child.kill("SIGKILL");
  await Promise.all((await started()).map((pid) => killed(pid)));
  await rm(folder, { recursive: true, force: true });
});

/** Every process whose output goes to this test's folder. */
async function started(): Promise<number[]> {
  const { marks } = await procTable.marked!();
  return [...marks].flatMap(([pid, { stdout }]) => (stdout?.startsWith(folder) ? [pid] : []));
}

const alive = async (pid: number) => lives(await systemTable.find(pid));

async function killed(pid: number): Promise<void> {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
  await until(async () => !(await alive(pid)), `pid ${pid} to end`);
}

async function script(text: string, name = "service.mjs"): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

/** An adapter for the process `shop` that runs `text`. */
async function shop(text: string, more: object = {}) {
  const argv = [process.execPath, await script(text)];
  const config = { name: "shop", argv, settle_ms: 150, stop_timeout_ms: 120_000, ...more };
  const processes = [localProcess.processConfig.parse(config)];
  return localProcess.create(processes, { state_dir: stateDir, log: silentLog });
}

const restart = (name = "shop") => ({
  kind: "process.restart" as const,
  target: { kind: "process" as const, name },
  parameters: {},
});
const runOf = (execution_id: string, before: Record<string, unknown> = {}) => ({
  execution_id,
  attempt: 1,
  before,
});
const file = () => join(stateDir, "shop.json");
const log = () => readFile(join(stateDir, "shop.log"), "utf8").catch(() => "");
const record = async () => JSON.parse(await readFile(file(), "utf8")) as ProcessRecord;

/** Starts it and waits until it is up. */
async function up(local: Awaited<ReturnType<typeof shop>>): Promise<number> {
  const { pid } = await local.start("shop");
  await until(async () => (await log()).includes("ready"), "the process to be ready");
  return pid;
}

async function bystander(command: string, args: string[]): Promise<number> {
  const child = spawn(command, args, { stdio: "ignore", detached: true });
  bystanders.push(child);
  await once(child, "spawn");
  return child.pid!;
}

async function startTime(pid: number): Promise<string> {
  return (await systemTable.find(pid))!.start_time;
}

async function plant(values: Partial<ProcessRecord>): Promise<void> {
  await mkdir(stateDir, { recursive: true });
  const base = { execution_id: null, started_at: new Date().toISOString(), argv_hash: "", boot: null };
  await writeFile(file(), JSON.stringify({ ...base, ...values }));
}

describe("restart", () => {
  it("stops what hangs, starts it anew, and says so", async () => {
    const local = await shop(IDLE);
    const old = await up(local);
    const result = await local.executor.act(restart(), runOf(`${RUN}-1`), NEVER);
    const { pid, execution_id, start_time } = await record();
    expect(result).toEqual({
      ok: true,
      output: expect.stringMatching(/^Stopped pid \d+ \(SIGTERM, \d+(\.\d)? s\), /),
    });
    expect(result).toMatchObject({ output: expect.stringContaining(`pid ${old} `) });
    expect(result).toMatchObject({ output: expect.stringMatching(new RegExp(`, started pid ${pid}$`)) });
    expect(await started()).toEqual([pid]);
    expect([execution_id, start_time]).toEqual([`${RUN}-1`, await startTime(pid)]);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    expect((await readdir(stateDir)).sort()).toEqual(["shop.json", "shop.log"]);
  });

  it("forces one that ignores SIGTERM", async () => {
    await longEnough(200, async (stop_timeout_ms) => {
      const local = await shop(STUBBORN, { stop_timeout_ms });
      await local.start("shop");
      await until(async () => (await log()).endsWith("ready\n"), "the process to be ready");
      const { pid: old } = await record();
      const result = await local.executor.act(restart(), runOf(`${RUN}-${stop_timeout_ms}`), NEVER);
      expect(result).toMatchObject({
        ok: true,
        output: expect.stringContaining(`Stopped pid ${old} (SIGKILL, `),
      });
      expect(await started()).toEqual([(await record()).pid]);
      // SIGTERM was there before.
      return (await log()).includes("no\n");
    });
  });

  it.each([
    ["ends by SIGTERM", IDLE, 120_000, "SIGTERM"],
    ["ignores SIGTERM", STUBBORN, 200, "SIGKILL"],
  ])("stops one that is suspended and %s", async (_what, text, stop_timeout_ms, by) => {
    const local = await shop(text, { stop_timeout_ms });
    const old = await up(local);
    process.kill(old, "SIGSTOP");
    await until(async () => (await systemTable.find(old))?.state.startsWith("T"), "it to be suspended");
    const result = await local.executor.act(restart(), runOf(`${RUN}-1`), NEVER);
    expect(result).toMatchObject({
      ok: true,
      output: expect.stringContaining(`Stopped pid ${old} (${by}, `),
    });
    expect(await alive(old)).toBe(false);
  });

  it("asks the children in its group to end as well", async () => {
    const child = await script(IDLE, "child.mjs");
    const local = await shop(
      `import { spawn } from "node:child_process";
       spawn(process.execPath, [${JSON.stringify(child)}], { stdio: "inherit" }); setInterval(() => {}, 1_000);`,
    );
    await up(local);
    expect(await started()).toHaveLength(2);
    const result = await local.executor.act(restart(), runOf(`${RUN}-1`), NEVER);
    expect(result).toMatchObject({ ok: true, output: expect.stringContaining("(SIGTERM, ") });
  });

  it("forces children in its group that stay, and what a dead one has left", async () => {
    const child = await script(`${STUBBORN} console.log("child " + process.pid);`, "child.mjs");
    const local = await shop(
      `import { spawn } from "node:child_process";
       spawn(process.execPath, [${JSON.stringify(child)}], { stdio: "inherit" }); setInterval(() => {}, 1_000);`,
      { stop_timeout_ms: 200 },
    );
    const children = async () => [...(await log()).matchAll(/child (\d+)/g)].map((match) => Number(match[1]));
    const { pid } = await local.start("shop");
    await until(async () => (await children()).length === 1, "the first child");
    const result = await local.executor.act(restart(), runOf(`${RUN}-1`), NEVER);
    expect(result).toMatchObject({
      ok: true,
      output: expect.stringContaining(`Stopped pid ${pid} (SIGKILL, `),
    });
    await until(async () => (await children()).length === 2, "the second child");
    const [first = 0, second = 0] = await children();
    expect([await alive(first), await alive(second)]).toEqual([false, true]);

    await killed((await record()).pid);
    expect(await alive(second)).toBe(true);
    expect(await local.executor.act(restart(), runOf(`${RUN}-2`), NEVER)).toMatchObject({
      ok: true,
      output: expect.stringMatching(/^None was running \(remaining processes stopped: 1\), started pid \d+$/),
    });
    expect(await alive(second)).toBe(false);
  });

  it("reports one that ends at once, with what it wrote", async () => {
    await mkdir(stateDir);
    await writeFile(join(stateDir, "shop.log"), "of an earlier run\n");
    const local = await shop(
      "for (let n = 0; n < 2_000; n += 1) console.error('line ' + n); console.error('no database'); process.exit(3);",
      {
        settle_ms: 120_000,
      },
    );
    const result = await local.executor.act(restart(), runOf(`${RUN}-1`), NEVER);
    expect(result).toMatchObject({
      ok: false,
      sent: true,
      error: expect.stringMatching(
        /^None was running, started pid \d+, but it ended \d+(\.\d)? s after its start with exit code 3$/,
      ),
    });
    const { stderr = "" } = result as { stderr?: string };
    expect(stderr.endsWith("\nline 1999\nno database\n")).toBe(true);
    expect(stderr).toHaveLength(8_000);
    expect(await local.executor.effect(restart(), runOf(`${RUN}-1`))).toBe("done");
    await expect(local.start("shop")).rejects.toThrow(/exit code 3\n[\s\S]*\nline 1999\nno database$/);
    const silent = await shop("process.exitCode = 4;", { settle_ms: 120_000 });
    const second = await silent.executor.act(restart(), runOf(`${RUN}-2`), NEVER);
    expect(second).toMatchObject({ ok: false, error: expect.stringContaining("exit code 4"), stderr: "" });
  });
});

describe("what cannot be started", () => {
  it.each([
    ["a program that is missing", { argv: ["/nowhere/shop"] }, "/nowhere/shop was not found (ENOENT)"],
    [
      "a name that PATH does not know",
      { argv: ["awoooi-no-such"] },
      "awoooi-no-such was not found along PATH (ENOENT)",
    ],
    ["a file that is no program", { argv: ["./service.mjs"] }, "service.mjs cannot be executed (EACCES)"],
    ["a missing working directory", { cwd: "/nowhere" }, "/nowhere cannot be used (ENOENT)"],
  ])("leaves what runs alone: %s", async (_what, broken, message) => {
    const old = await up(await shop(IDLE));
    const local = await shop(IDLE, { cwd: folder, ...broken });
    const result = await local.executor.act(restart(), runOf(`${RUN}-1`), NEVER);
    expect(result).toMatchObject({ ok: false, sent: false, error: expect.stringContaining(message) });
    expect(await alive(old)).toBe(true);
    expect(
      await local.executor.effect(restart(), runOf(`${RUN}-1`, await local.executor.snapshot(restart()))),
    ).toBe("not_done");
    const { checks } = await local.executor.dryRun(restart());
    expect(checks.filter((check) => !check.passed)).toMatchObject([
      { message: expect.stringContaining(message) },
    ]);
  });

  it("says that something was sent when the program goes away with the old process", async () => {
    const program = join(folder, "node");
    await symlink(process.execPath, program);
    const text = `import { unlinkSync } from "node:fs";
      process.on("SIGTERM", () => { unlinkSync(${JSON.stringify(program)}); process.exit(); }); ${IDLE}`;
    const local = await shop(text, { argv: [program, await script(text)] });
    const old = await up(local);
    expect(await local.executor.act(restart(), runOf(`${RUN}-1`), NEVER)).toMatchObject({
      ok: false,
      sent: true,
      error: expect.stringMatching(
        new RegExp(`^Stopped pid ${old} .* but a new one could not be started: spawn .* ENOENT$`),
      ),
    });
  });

  it("sends nothing when the process file could not be written", async () => {
    await writeFile(stateDir, "a file where the folder should be");
    const local = await shop(IDLE);
    expect(await local.executor.act(restart(), runOf(`${RUN}-1`), NEVER)).toMatchObject({
      ok: false,
      sent: false,
      error: expect.stringContaining(`${stateDir} cannot be written (ENOTDIR)`),
    });
    expect(await started()).toEqual([]);
    await expect(local.start("shop")).rejects.toThrow(/^shop: could not be started: .*(EEXIST|ENOTDIR)/);
  });
});

describe("identity", () => {
  it.each([
    ["another start time", (start: string) => ({ start_time: `${start}1` })],
    ["another boot", (start: string) => ({ start_time: start, boot: "another" })],
  ])("does not signal a pid of %s", async (_what, values) => {
    const stranger = await bystander("sleep", ["600"]);
    await plant({ pid: stranger, ...values(await startTime(stranger)) });
    const local = await shop(IDLE);
    expect(await local.executor.snapshot(restart())).toEqual({ pid: null });
    await local.stop("shop");
    const result = await local.executor.act(restart(), runOf(`${RUN}-1`), NEVER);
    expect(result).toMatchObject({
      ok: true,
      output: expect.stringMatching(/^None was running, started pid/),
    });
    expect(await alive(stranger)).toBe(true);
    expect((await record()).pid).not.toBe(stranger);
  });

  it("refuses a process file that names pid 1", async () => {
    await plant({ pid: 1, start_time: await startTime(1) });
    const local = await shop(IDLE);
    expect(await local.executor.snapshot(restart())).toEqual({ pid: null });
  });

  it("takes a zombie for ended", async () => {
    const parent = await bystander("sh", ["-c", "sleep 0 & exec sleep 600"]);
    const zombie = await until(
      async () => (await procTable.all()).find((one) => one.group === parent && one.state === "Z"),
      "a zombie",
    );
    await plant({ pid: zombie.pid, start_time: zombie.start_time });
    const local = await shop(IDLE);
    expect(await local.executor.snapshot(restart())).toEqual({ pid: null });
    expect(await local.executor.act(restart(), runOf(`${RUN}-1`), NEVER)).toMatchObject({ ok: true });
    expect(await alive(parent)).toBe(true);
  });

  it("reads processes alike from /proc and from ps", async () => {
    const own = await procTable.find(process.pid);
    const other = await psTable.find(process.pid);
    expect(other).toMatchObject({ pid: process.pid, group: own?.group });
    // A process of which is known between which two times it has begun; each table is a second off, as ps rounds.
    const before = Date.now();
    const child = await bystander("sleep", ["600"]);
    const after = Date.now();
    for (const table of [procTable, psTable]) {
      const began = table.startedAt((await table.find(child))!).getTime();
      expect(began).toBeGreaterThan(before - 2_500);
      expect(began).toBeLessThan(after + 2_500);
    }
    expect((await psTable.all()).some((one) => one.pid === process.pid)).toBe(true);
    expect(await psTable.find(4_194_304)).toBeUndefined();
  });

  it("finds its process again without, or with a damaged, process file", async () => {
    const local = await shop(IDLE);
    const pid = await up(local);
    await rm(file());
    expect(await local.start("shop")).toEqual({ pid, started: false });
    await writeFile(file(), '{"pid":');
    expect(await local.executor.snapshot(restart())).toMatchObject({ pid, execution_id: null });
    // Another installation's process of the same name writes to another log.
    const processes = [localProcess.processConfig.parse({ name: "shop", argv: ["true"] })];
    const elsewhere = localProcess.create(processes, { state_dir: join(folder, "other"), log: silentLog });
    expect(await elsewhere.executor.snapshot(restart())).toEqual({ pid: null });
  });
});

describe("the environment of a process", () => {
  const keys = async () => Object.keys(JSON.parse((await log()).trim().split("\n").at(-1) ?? "{}")).sort();
  const TELL = "console.log(JSON.stringify(process.env)); setInterval(() => {}, 1_000);";

  afterEach(() => {
    delete process.env.AWOOOI_ADMIN_TOKEN;
    delete process.env.DATABASE_URL;
  });

  it("has nothing of the server's but four names", async () => {
    Object.assign(process.env, { AWOOOI_ADMIN_TOKEN: "planted-secret", DATABASE_URL: "planted-secret" });
    const local = await shop(TELL, { env: { PORT: "1" } });
    await local.executor.act(restart(), runOf(`${RUN}-1`), NEVER);
    await until(async () => (await log()).includes("}"), "the environment");
    const allowed = ["PATH", "HOME", "LANG", "TZ"].filter((name) => process.env[name] !== undefined);
    const ours = ["AWOOOI_PROCESS", "AWOOOI_INSTALLATION", "AWOOOI_EXECUTION_ID"];
    expect(await keys()).toEqual([...allowed, "PORT", ...ours].sort());
    expect(JSON.parse(await log())).toMatchObject({
      AWOOOI_PROCESS: "shop",
      AWOOOI_EXECUTION_ID: `${RUN}-1`,
    });
    expect(await log()).not.toContain("planted-secret");
  });

  it("is another account's where one is configured, or it is not started at all", async () => {
    const argv = ["/bin/sh", "-c", "echo uid $(id -u) gid $(id -g); exec sleep 600"];
    const local = await shop("", { argv, uid: 65_534, gid: 65_534, cwd: "/" });
    const result = await local.executor.act(restart(), runOf(`${RUN}-1`), NEVER);
    if (process.getuid?.() !== 0) return expect(result).toMatchObject({ ok: false, sent: false });
    expect(result).toMatchObject({ ok: true });
    await until(async () => (await log()) === "uid 65534 gid 65534\n", "the account");
    const closed = await shop("", { argv: [await script("#!/bin/sh", "program")], uid: 65_534, cwd: "/" });
    await chmod(join(folder, "program"), 0o700);
    expect((await closed.executor.dryRun(restart())).checks).toContainEqual({
      name: "program",
      passed: false,
      message: expect.stringContaining("EACCES"),
    });
  });
});

describe("once per execution", () => {
  const COUNTED = `import { appendFileSync } from "node:fs";
    appendFileSync(process.env.STARTS, process.env.AWOOOI_EXECUTION_ID + "\\n"); ${IDLE}`;
  const starts = async () => (await readFile(join(folder, "starts"), "utf8")).trim().split("\n");
  const counted = () => shop(COUNTED, { env: { STARTS: join(folder, "starts") } });
  const startsAre = (...ids: string[]) => eventually(async () => expect(await starts()).toEqual(ids));

  it("starts one process however often it is asked, at once or later", async () => {
    const local = await counted();
    const act = () => local.executor.act(restart(), runOf(`${RUN}-1`), NEVER);
    const results = [...(await Promise.all([act(), act(), act()])), await act()];
    const { pid } = await record();
    expect(results.map((one) => one.ok)).toEqual([true, true, true, true]);
    expect(results.at(-1)).toMatchObject({
      output: `Already done: pid ${pid} was started by this execution`,
    });
    expect(await (await counted()).executor.act(restart(), runOf(`${RUN}-1`), NEVER)).toMatchObject({
      ok: true,
    });
    await startsAre(`${RUN}-1`);
    expect(await started()).toEqual([pid]);
  });

  it.each(["no process file", "the old one's process file"])(
    "recognises its process by a scan: %s, as a crash leaves it",
    async (left) => {
      const local = await counted();
      await local.executor.act(restart(), runOf(`${RUN}-0`), NEVER);
      await startsAre(`${RUN}-0`);
      const before = await local.executor.snapshot(restart());
      const old = await readFile(file(), "utf8");
      await local.executor.act(restart(), runOf(`${RUN}-1`, before), NEVER);
      const { pid, start_time } = await record();
      if (left === "no process file") await rm(file());
      else await writeFile(file(), old);

      const next = await counted();
      expect(await next.executor.effect(restart(), runOf(`${RUN}-1`, before))).toBe("done");
      expect(await record()).toMatchObject({ pid, start_time, execution_id: `${RUN}-1` });
      await rm(file());
      const again = await next.executor.act(restart(), runOf(`${RUN}-1`, before), NEVER);
      expect(again).toMatchObject({ ok: true, output: expect.stringContaining(`pid ${pid} `) });
      expect(await record()).toMatchObject({ pid, execution_id: `${RUN}-1` });
      await startsAre(`${RUN}-0`, `${RUN}-1`);
    },
  );
});

describe("effect", () => {
  it("tells done from not done by looking", async () => {
    const local = await shop(IDLE);
    const effect = async (id: string, before?: Record<string, unknown>) =>
      local.executor.effect(restart(), runOf(id, before));
    expect(await effect(`${RUN}-1`, { pid: null })).toBe("not_done");
    await up(local);
    const before = await local.executor.snapshot(restart());
    expect(await effect(`${RUN}-1`, before)).toBe("not_done");
    await local.executor.act(restart(), runOf(`${RUN}-1`, before), NEVER);
    expect(await effect(`${RUN}-1`, before)).toBe("done");
    expect(await effect(`${RUN}-2`, await local.executor.snapshot(restart()))).toBe("not_done");
    expect(await effect(`${RUN}-2`)).toBe("not_done");
    // Killed by a crash of ours between stop and start.
    await local.stop("shop");
    expect(await effect(`${RUN}-2`, before)).toBe("not_done");
  });

  it("cannot tell when somebody else has started one since", async () => {
    const local = await shop(IDLE);
    await local.start("shop");
    const before = await local.executor.snapshot(restart());
    await local.stop("shop");
    await local.start("shop");
    expect(await local.executor.effect(restart(), runOf(`${RUN}-1`, before))).toBe("cannot_tell");
  });

  it.each([
    ["no file", undefined, "cannot_tell"],
    ["an older execution's file", { execution_id: `${RUN}-0` }, "cannot_tell"],
    ["its own file", { execution_id: `${RUN}-1` }, "done"],
  ] as const)("without /proc and with nothing running: %s", (_what, found, answer) => {
    const traces = { record: found, live: undefined, visible: false };
    expect(effectOf(runOf(`${RUN}-1`), traces)).toBe(answer);
  });
});

describe("being told to stop", () => {
  it("ends early, saying what was sent, and can be called again", async () => {
    const local = await shop(STUBBORN, { stop_timeout_ms: 600_000 });
    const old = await up(local);
    const stop = new AbortController();
    const acting = local.executor.act(restart(), runOf(`${RUN}-1`), stop.signal);
    const stopQueued = new AbortController();
    const queued = local.executor.act(restart(), runOf(`${RUN}-2`), stopQueued.signal);
    await until(async () => (await log()).includes("no"), "SIGTERM to arrive");
    stopQueued.abort();
    expect(await queued).toMatchObject({ ok: false, sent: false });
    stop.abort();
    expect(await acting).toMatchObject({
      ok: false,
      sent: true,
      error: expect.stringContaining("cancelled"),
    });
    expect(await started()).toEqual([old]);
    expect(await local.executor.act(restart(), runOf(`${RUN}-3`), stop.signal)).toMatchObject({
      ok: false,
      sent: false,
    });
    const patient = await shop(STUBBORN, { stop_timeout_ms: 100 });
    expect(await patient.executor.act(restart(), runOf(`${RUN}-1`), NEVER)).toMatchObject({ ok: true });
    expect(await alive(old)).toBe(false);
  });

  it("does not wait for a process to settle", async () => {
    const local = await shop(IDLE, { settle_ms: 600_000 });
    const stop = new AbortController();
    const acting = local.executor.act(restart(), runOf(`${RUN}-1`), stop.signal);
    await until(async () => (await log()).includes("ready"), "the process to be ready");
    stop.abort();
    expect(await acting).toMatchObject({ ok: false, sent: true });
    expect(await local.executor.act(restart(), runOf(`${RUN}-1`), NEVER)).toMatchObject({ ok: true });
    expect(await started()).toHaveLength(1);
  });
});

describe("the server's death", () => {
  it("leaves the process running, and the next server finds it", async () => {
    const local = await shop(IDLE);
    const config = { name: "shop", argv: [process.execPath, join(folder, "service.mjs")] };
    const server = await script(
      `const { localProcess } = await import(${JSON.stringify(join(import.meta.dirname, "index.ts"))});
       const processes = [localProcess.processConfig.parse(${JSON.stringify(config)})];
       const log = { info() {}, warn() {}, error() {}, debug() {} };
       const local = localProcess.create(processes, { state_dir: ${JSON.stringify(stateDir)}, log });
       console.log((await local.start("shop")).pid);
       setInterval(() => {}, 1_000);`,
      "server.mjs",
    );
    const child = spawn(process.execPath, [server], { stdio: ["ignore", "pipe", "inherit"], detached: true });
    bystanders.push(child);
    const pid = Number(String((await once(child.stdout!, "data"))[0]));
    process.kill(-child.pid!, "SIGKILL");
    await once(child, "exit");
    expect(await alive(pid)).toBe(true);
    expect(await local.start("shop")).toEqual({ pid, started: false });
    expect(await local.executor.act(restart(), runOf(`${RUN}-1`), NEVER)).toMatchObject({
      ok: true,
      output: expect.stringContaining(`Stopped pid ${pid} (SIGTERM`),
    });
    expect(await alive(pid)).toBe(false);
  });
});

describe("before anyone signs", () => {
  it("resolves exact names, suggests close ones and refuses the rest", async () => {
    const names = ["demo-shop", "demo-shop-2", "api"];
    const processes = names.map((name) => localProcess.processConfig.parse({ name, argv: ["true"] }));
    const { executor } = localProcess.create(processes, { state_dir: stateDir, log: silentLog });
    expect(await executor.resolve(restart("demo-shop"))).toEqual({ result: "hit" });
    expect(await executor.resolve(restart("demo-shp"))).toEqual({
      result: "suggestion",
      names: ["demo-shop", "demo-shop-2"],
    });
    expect(await executor.resolve(restart("demo"))).toEqual({
      result: "suggestion",
      names: names.slice(0, 2),
    });
    expect(await executor.resolve(restart("DEMO-SHOP"))).toMatchObject({ result: "suggestion" });
    expect(await executor.resolve(restart("web"))).toEqual({
      result: "miss",
      message: 'no process "web" is configured, there are: demo-shop, demo-shop-2, api',
    });
    expect(await executor.resolve(restart("x".repeat(100_000)))).toMatchObject({ result: "miss" });
    const other = { kind: "investigate" as const, target: null, parameters: {} };
    expect(await executor.resolve(other)).toMatchObject({ result: "error" });
    await expect(executor.act(other, runOf(`${RUN}-1`), NEVER)).rejects.toThrow("is not a process operation");
  });

  it("says what it has found, and changes nothing", async () => {
    const url = `http://127.0.0.1:${await freePort()}/healthz`;
    const probed = await shop(IDLE, { probe: { url: "http://awoooi.invalid/", timeout_ms: 120_000 } });
    expect(
      (await probed.executor.dryRun(restart())).checks.find((check) => check.name === "probe can be called"),
    ).toMatchObject({
      passed: false,
      message: expect.stringContaining("cannot be called"),
    });
    const local = await shop(IDLE, { probe: { url, timeout_ms: 120_000 } });
    const messages = async () =>
      (await local.executor.dryRun(restart())).checks.map(({ name, passed, message }) => [
        name,
        passed,
        message,
      ]);
    const checks = (present: unknown, permission: unknown) => [
      ["program", true, process.execPath],
      ["working directory", true, `${process.cwd()}, the server's own`],
      ["state folder", true, `${stateDir} can be written`],
      ["present process", true, present],
      ["probe can be called", true, "current answer: connection refused"],
      ["permission to signal", true, permission],
    ];
    expect(await messages()).toEqual(
      checks("none is running: one will be started", "there is nothing to signal"),
    );
    expect(await readdir(folder)).toEqual(["service.mjs"]);
    const pid = await up(local);
    expect(await messages()).toEqual(
      checks(
        expect.stringMatching(new RegExp(`^pid ${pid}, since 20.*Z \\(\\d+(\\.\\d)? s\\)$`)),
        `pid ${pid} may be signalled`,
      ),
    );
    const { start_time } = await record();
    expect(await local.executor.snapshot(restart())).toEqual({ pid, start_time, execution_id: null });
  });

  it("refuses configurations that could do harm", () => {
    const refused = (more: object) =>
      !localProcess.processConfig.safeParse({ name: "shop", argv: ["true"], ...more }).success;
    expect(refused({})).toBe(false);
    expect(
      [
        { name: "../shop" },
        { name: "" },
        { argv: [] },
        { argv: [""] },
        { argv: ["a\0b"] },
        { env: { AWOOOI_EXECUTION_ID: `${RUN}-1` } },
        { env: { AWOOOI_INSTALLATION: "/elsewhere" } },
        { env: { "A=B": "" } },
        { probe: { url: "file:///etc/passwd" } },
        { probe: { url: "http://ada:secret@localhost/" } },
        { shell: true },
      ].map(refused),
    ).toEqual(Array(11).fill(true));
  });
});

describe("the log", () => {
  it("keeps one generation of what has grown past 10 MB", async () => {
    await mkdir(stateDir);
    await writeFile(join(stateDir, "shop.log"), "");
    await truncate(join(stateDir, "shop.log"), 10 * 1024 * 1024 + 1);
    const local = await shop(IDLE);
    await up(local);
    expect(await log()).toBe("ready\n");
    expect((await stat(join(stateDir, "shop.log.1"))).size).toBe(10 * 1024 * 1024 + 1);
  });

  it("is bounded while its process prints on, which loses nothing of its end", async () => {
    const LIMIT = 10 * 1024 * 1024;
    // Prints 25 MB, then one line for each that it is given.
    const local = await shop(`
      process.on("SIGUSR2", () => process.stdout.write("more\\n"));
      setInterval(() => {}, 1_000);
      const line = "x".repeat(99_999) + "\\n";
      for (let at = 0; at < 250; at += 1) process.stdout.write(line);
      process.stdout.write("ready\\n");
    `);
    const pid = await up(local);
    await local.boundLog("shop");
    expect(await log()).toBe("");
    const kept = await readFile(join(stateDir, "shop.log.1"), "utf8");
    expect([kept.length, kept.endsWith("x\nready\n")]).toEqual([LIMIT, true]);
    process.kill(pid, "SIGUSR2");
    await until(async () => (await log()).includes("more"), "more");
    // At its beginning, without a hole.
    expect(await log()).toBe("more\n");
    expect((await local.find("shop"))?.pid).toBe(pid);
    await local.boundLog("shop");
    expect(await log()).toBe("more\n");
  });
});
