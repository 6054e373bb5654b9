import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { restartOf } from "../../../../test/support/approved.ts";
import { clearFolder, temporaryFolder } from "../../../../test/support/folder.ts";
import { until } from "../../../../test/support/until.ts";
import { silentLog } from "../../../lib/log.ts";
import { type LocalProcesses, localProcess } from "./index.ts";
import { lives, systemTable } from "./process-table.ts";

const NEVER = new AbortController().signal;
const TARGET = { kind: "process", name: "shop" };
const RESTART = restartOf("shop");
const RUN = { execution_id: `EXE-${randomUUID()}`, attempt: 1, before: {} };

/** Programs that put themselves into the background: what remains of each is one `sleep`. */
const DAEMONS: [string, string][] = [
  ["in a session of its own, without output", "setsid sh -c 'exec sleep 600 >/dev/null 2>&1' & exit 0"],
  [
    "in a session of its own, with its errors in the log",
    "setsid sh -c 'exec sleep 600 >/dev/null' & exit 0",
  ],
  ["without its environment", "setsid env -i sleep 600 >/dev/null & exit 0"],
  ["in the group of what has ended", "sleep 600 >/dev/null 2>&1 & exit 0"],
];

let folder: string;
let local: LocalProcesses;
const bystanders: ChildProcess[] = [];

beforeEach(async () => {
  folder = await temporaryFolder("background");
});
afterEach(async () => {
  await local.stop("shop");
  for (const child of bystanders.splice(0)) child.kill("SIGKILL");
  await clearFolder(folder);
});

function shop(script: string, state = join(folder, "state"), settle_ms = 60_000): LocalProcesses {
  const config = { name: "shop", argv: ["/bin/sh", "-c", script], settle_ms };
  const processes = [localProcess.processConfig.parse(config)];
  return localProcess.create(processes, { state_dir: state, log: silentLog });
}
const copies = async (of = local) => (await of.copies()).get("shop") ?? [];
const alive = async (pid: number) => lives(await systemTable.find(pid));

/** Starts what goes into the background, and returns the pid that lives there. */
async function gone(script: string): Promise<number> {
  local = shop(script);
  await expect(local.start("shop")).rejects.toMatchObject({
    message: expect.stringMatching(/^shop: started pid \d+, but it ended .* with exit code 0/),
  });
  return until(async () => {
    const [pid] = await copies();
    // On its way there it is several programs, one after the other, and between two it shows nothing of itself.
    return pid !== undefined && readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith("sleep\0") && pid;
  }, "what is in the background");
}

describe.each(DAEMONS)("a program that puts itself into the background %s", (where, script) => {
  it("is not started once more, is found out and told of, and ends with a stop on purpose", async () => {
    const pid = await gone(script);
    await expect(local.start("shop")).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(
        new RegExp(`^shop is not started: pid ${pid} .*run the program in the foreground`),
      ),
    });
    const { findings, evidence } = await local.investigator.investigate(TARGET, new Date(), NEVER);
    expect(findings.map(({ code }) => code)).toEqual(["process_in_background"]);
    expect(findings[0]?.meaning).toContain("run it in the foreground");
    expect(evidence.find(({ id }) => findings[0]?.evidence.includes(id))?.text).toBe(`pid ${pid}`);
    if (where !== "in the group of what has ended") {
      const { checks } = await local.executor.dryRun(RESTART);
      expect(checks.filter(({ passed }) => !passed)).toMatchObject([{ name: "runs once" }]);
      expect(await local.executor.act(RESTART, RUN, NEVER)).toMatchObject({
        ok: false,
        sent: false,
        error: expect.stringContaining("run the program in the foreground"),
      });
    }
    expect(await copies()).toEqual([pid]);
    expect(await local.stop("shop")).toEqual({ pid });
    expect([await alive(pid), await copies()]).toEqual([false, []]);
  });
});

describe("what runs beside", () => {
  it("is told at the start already, with what to do", async () => {
    local = shop(
      "setsid sleep 600 >/dev/null 2>&1 & wait=$!; until [ \"$(ps -o sid= -p $wait | tr -d ' ')\" = $wait ]; do :; done; exit 0",
    );
    await expect(local.start("shop")).rejects.toMatchObject({
      message: expect.stringMatching(
        /exit code 0; pid \d+ started for shop runs in the background.*foreground/,
      ),
    });
  });

  it("is no copy where it belongs to what runs, and ends with it", async () => {
    local = shop("setsid sleep 600 >/dev/null 2>&1 & exec sleep 700", undefined, 0);
    const { pid } = await local.start("shop");
    const child = await until(async () => {
      const all = await systemTable.all();
      return all.find(({ parent, group }) => parent === pid && group !== pid)?.pid;
    }, "its child in a session of its own");
    expect(await copies()).toEqual([]);
    expect((await local.executor.dryRun(RESTART)).checks.every(({ passed }) => passed)).toBe(true);
    await local.stop("shop");
    expect([await alive(pid), await alive(child)]).toEqual([false, false]);
  });

  it("is never another installation's, nor this server itself", async () => {
    local = shop("exec sleep 600");
    const elsewhere = shop("setsid sleep 600 >/dev/null 2>&1 & exit 0", join(folder, "elsewhere"));
    await elsewhere.start("shop").catch(() => undefined);
    const [other = 0] = await until(async () => {
      const found = await copies(elsewhere);
      return found.length > 0 && found;
    }, "the other one");
    const env = { ...process.env, AWOOOI_PROCESS: "shop" };
    const stranger = spawn("sleep", ["600"], { stdio: "ignore", env });
    bystanders.push(stranger);
    await once(stranger, "spawn");
    expect(await copies()).toEqual([]);
    await local.stop("shop");
    expect([await alive(other), await alive(stranger.pid ?? 0)]).toEqual([true, true]);
    await elsewhere.stop("shop");
    expect(await alive(other)).toBe(false);
  });
});
