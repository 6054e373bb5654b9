import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { messageOf } from "../../../lib/error.ts";
import { wait } from "../../../lib/wait.ts";
import { copiesOf, inBackground } from "./background.ts";
import { childEnv, type Origin } from "./child-env.ts";
import type { ProcessConfig } from "./config.ts";
import { openLog, tail } from "./log-file.ts";
import type { SystemProcess } from "./process-table.ts";
import { installationOf, keepRecord, type Supervised } from "./supervised.ts";

/** Result of a start. `ok: false` with a `pid`: a process was started, but something is wrong with it. */
export type Spawned = { ok: true; pid: number } | { ok: false; pid?: number; error: string; stderr?: string };

const TAIL = 8_000;

/** Spawns the program detached, in its own session and without a pipe to the server, so that it outlives the server. */
function spawnDetached(config: ProcessConfig, origin: Origin, output: number): ChildProcess {
  const { argv, cwd, uid, gid } = config;
  const [program = "", ...rest] = argv;
  return spawn(program, rest, {
    detached: true,
    stdio: ["ignore", output, output],
    env: childEnv(config, origin),
    ...(cwd === undefined ? {} : { cwd }),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  });
}

type Launched = {
  pid: number;
  found: Promise<SystemProcess | undefined>;
  logStart: number;
  /** Resolves to a text on when and how it ended. */
  end: Promise<string>;
};

async function launch(one: Supervised, execution_id: string | null): Promise<Launched> {
  const output = await openLog(one.logFile);
  try {
    const logStart = (await output.stat()).size;
    const origin = { installation: await installationOf(one), execution_id };
    const child = spawnDetached(one.config, origin, output.fd);
    const begun = performance.now();
    const end = new Promise<string>((resolve) => {
      child.once("exit", (code, signal) => {
        const how = signal === null ? `exit code ${code}` : signal;
        one.log.info({ process: one.config.name, pid: child.pid, how }, "a supervised process has ended");
        resolve(`${((performance.now() - begun) / 1000).toFixed(1)} s after its start with ${how}`);
      });
    });
    await once(child, "spawn");
    child.unref();
    const pid = child.pid ?? 0;
    // Looked up before the event loop turns: even a process that has already ended is not reaped yet.
    const found = one.table.find(pid);
    found.catch(() => undefined);
    return { pid, found, logStart, end };
  } finally {
    await output.close();
  }
}

/** Starts the process, writes its record at once and waits for `settle_ms` whether it stays alive. */
export async function start(
  one: Supervised,
  execution_id: string | null,
  signal?: AbortSignal,
): Promise<Spawned> {
  let launched: Launched;
  try {
    launched = await launch(one, execution_id);
  } catch (error) {
    return { ok: false, error: `could not be started: ${messageOf(error)}` };
  }
  const { pid, found, logStart, end } = launched;
  try {
    const started_at = new Date().toISOString();
    const start_time = (await found)?.start_time;
    if (start_time !== undefined) await keepRecord(one, { pid, start_time, execution_id, started_at });
  } catch (error) {
    return { ok: false, pid, error: `started pid ${pid}, but could not write its file: ${messageOf(error)}` };
  }
  const settled = new AbortController();
  const ended = await Promise.race([
    end,
    wait(one.config.settle_ms, AbortSignal.any([settled.signal, ...(signal ? [signal] : [])])),
  ]);
  settled.abort();
  if (ended !== undefined) {
    const stderr = await tail(one.logFile, { offset: logStart, most: TAIL }).catch(messageOf);
    const left = inBackground(one.config.name, await copiesOf(one).catch(() => []));
    const error = [`started pid ${pid}, but it ended ${ended}`, ...(left === null ? [] : [left])].join("; ");
    return { ok: false, pid, error, stderr };
  }
  if (signal?.aborted)
    return { ok: false, pid, error: `started pid ${pid}, cancelled before its start was confirmed` };
  return { ok: true, pid };
}
