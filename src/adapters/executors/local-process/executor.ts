import { dirname } from "node:path";
import type { Check } from "../../../contract/approval.ts";
import type { ActResult, DryRun, Executor, Resolution, Run } from "../../../execution/index.ts";
import { clip } from "../../../lib/clip.ts";
import { closeNames } from "../../../lib/close-names.ts";
import { formatDuration } from "../../../lib/duration.ts";
import { messageOf } from "../../../lib/error.ts";
import type { KeyedMutex } from "../../../lib/keyed-mutex.ts";
import { carriersOf, copiesOf, inBackground } from "./background.ts";
import { effectOf } from "./effect.ts";
import { configured } from "./observe-process.ts";
import { sendProbe } from "./probe.ts";
import { checkFolder, checkProgram, checkStateFolder } from "./program.ts";
import { start } from "./spawn.ts";
import { stopEach, stopGroup, stopLeftOver } from "./stop.ts";
import { adoptCarrier, type Live, locate, recordOf, type Supervised } from "./supervised.ts";

type Operation = Parameters<Executor["resolve"]>[0];

const CANCELLED: ActResult = { ok: false, error: "Cancelled before it began", sent: false };

/** Checks that no person has stopped the process on purpose: a repair must not start it then. */
function checkWanted({ stopped }: Supervised): Check {
  const who = stopped();
  const message = who === undefined ? "no person has stopped it" : `it was stopped ${who}`;
  return { name: "is to run", passed: who === undefined, message };
}

/** Checks that no copy lives outside its record. What an ended process left in its group does not count: a restart ends it. */
async function checkAlone(one: Supervised): Promise<Check> {
  const copies = (await copiesOf(one)).filter(({ isLeft }) => !isLeft);
  const message = inBackground(one.config.name, copies);
  return { name: "runs once", passed: message === null, message: message ?? "no other copy is running" };
}

/** Returns the first check that rules out a start, so that the running process is not ended in vain. */
async function obstacle(one: Supervised): Promise<Check | undefined> {
  const { config, recordFile } = one;
  const checks = [
    checkWanted(one),
    checkFolder(config),
    checkProgram(config),
    checkStateFolder(dirname(recordFile)),
    checkAlone(one),
  ];
  return (await Promise.all(checks)).find((check) => !check.passed);
}

type Cleared = { ok: true; text: string; sent: boolean } | { ok: false; error: string; sent: boolean };

/** Ends the running process, or what an ended one has left in its group. */
async function clear(one: Supervised, signal: AbortSignal): Promise<Cleared> {
  const live = await locate(one);
  if (live === undefined) {
    const count = await stopLeftOver(one, signal);
    const left = count === 0 ? "" : ` (remaining processes stopped: ${count})`;
    return { ok: true, text: `None was running${left}`, sent: count > 0 };
  }
  const carriers = await carriersOf(one);
  const stopped = await stopGroup(one.table, live, one.config.stop_timeout_ms, signal);
  if (!stopped.ok) return stopped;
  // Processes that it started in other groups would block the next start.
  const error = await stopEach(one, carriers, signal);
  if (error !== undefined) return { ok: false, error, sent: true };
  const { by, seconds } = stopped;
  if (by === "itself") return { ok: true, text: `Pid ${live.pid} had just ended on its own`, sent: false };
  return { ok: true, text: `Stopped pid ${live.pid} (${by}, ${seconds.toFixed(1)} s)`, sent: true };
}

/** Restarts once per execution id: a retry finds the process marked with the id. */
async function restart(one: Supervised, run: Run, signal: AbortSignal): Promise<ActResult> {
  const { execution_id } = run;
  const carrier = await adoptCarrier(one, execution_id);
  if (carrier !== undefined) {
    return { ok: true, output: `Already done: pid ${carrier.pid} was started by this execution` };
  }
  const hindered = await obstacle(one);
  if (hindered !== undefined) {
    const error = `Nothing was changed, because it could not be started again: ${hindered.message}`;
    return { ok: false, error, sent: false };
  }
  if (signal.aborted) return CANCELLED;
  const cleared = await clear(one, signal);
  if (!cleared.ok) return { ok: false, error: `It was not restarted: ${cleared.error}`, sent: cleared.sent };
  const { text, sent } = cleared;
  if (signal.aborted) return { ok: false, error: `${text}, cancelled before the start`, sent };
  const started = await start(one, execution_id, signal);
  if (started.ok) {
    one.log.info({ process: one.config.name, execution_id, pid: started.pid }, "restarted a process");
    return { ok: true, output: `${text}, started pid ${started.pid}` };
  }
  const { pid, error, stderr } = started;
  const more = stderr === undefined ? {} : { stderr };
  const then = pid === undefined ? "but a new one " : "";
  return { ok: false, error: `${text}, ${then}${error}`, sent: sent || pid !== undefined, ...more };
}

function checkPermission(live: Live | undefined): Check {
  const name = "permission to signal";
  if (live === undefined) return { name, passed: true, message: "there is nothing to signal" };
  try {
    process.kill(live.pid, 0);
    return { name, passed: true, message: `pid ${live.pid} may be signalled` };
  } catch (error) {
    return { name, passed: false, message: messageOf(error) };
  }
}

function describeLive(live: Live | undefined): string {
  if (live === undefined) return "none is running: one will be started";
  const age = formatDuration(Date.now() - Date.parse(live.started_at));
  return `pid ${live.pid}, since ${live.started_at} (${age})${live.suspended ? ", suspended" : ""}`;
}

async function checkProbe({ config }: Supervised): Promise<Check> {
  const name = "probe can be called";
  if (config.probe === undefined) {
    return { name, passed: true, message: "none is configured: its health cannot be verified afterwards" };
  }
  const { asked, message } = await sendProbe(config.probe);
  return { name, passed: asked, message: asked ? `current answer: ${message}` : message };
}

async function dryRun(one: Supervised): Promise<DryRun> {
  const { config, recordFile } = one;
  const live = await locate(one);
  const alone = await checkAlone(one);
  const checks = await Promise.all([
    ...(one.stopped() === undefined ? [] : [checkWanted(one)]),
    ...(alone.passed ? [] : [alone]),
    checkProgram(config),
    checkFolder(config),
    checkStateFolder(dirname(recordFile)),
    { name: "present process", passed: true, message: describeLive(live) },
    checkProbe(one),
    checkPermission(live),
  ]);
  return { checks };
}

function resolve(processes: ReadonlyMap<string, Supervised>, name: string): Resolution {
  if (processes.has(name)) return { result: "hit" };
  const known = [...processes.keys()];
  const names = closeNames(name, known);
  if (names.length > 0) return { result: "suggestion", names };
  const there = known.length === 0 ? "none is" : `there are: ${known.join(", ")}`;
  return { result: "miss", message: `no process "${clip(name, 100)}" is configured, ${there}` };
}

/** Creates the executor of `process.restart` for the configured processes. */
export function createExecutor(processes: ReadonlyMap<string, Supervised>, mutex: KeyedMutex): Executor {
  const find = ({ kind, target }: Operation): Supervised => {
    if (kind !== "process.restart") throw new Error(`${kind} is not a process operation`);
    return configured(processes, target.name);
  };
  return {
    id: "local-process",
    kinds: ["process.restart"],
    configuration(operation) {
      const one = operation.kind === "process.restart" ? processes.get(operation.target.name) : undefined;
      if (one === undefined) return undefined;
      const { argv, cwd, env, uid, gid } = one.config;
      return { argv, cwd, env, uid, gid };
    },
    resolve: async ({ kind, target }) =>
      kind === "process.restart"
        ? resolve(processes, target.name)
        : { result: "error", message: `${kind} is not a process operation` },
    dryRun: async (operation) => dryRun(find(operation)),
    async snapshot(operation) {
      const live = await locate(find(operation));
      if (live === undefined) return { pid: null };
      const { pid, start_time, execution_id } = live;
      return { pid, start_time, execution_id };
    },
    async act(operation, run, signal) {
      const one = find(operation);
      const abort = { signal, otherwise: CANCELLED };
      return mutex.take(one.config.name, () => restart(one, run, signal), abort);
    },
    async effect(operation, run) {
      const one = find(operation);
      // Waits for the mutex: an act in progress must not be judged halfway.
      return mutex.take(one.config.name, async () => {
        const live = (await adoptCarrier(one, run.execution_id)) ?? (await locate(one));
        const visible = one.table.marked !== undefined;
        return effectOf(run, { record: await recordOf(one), live, visible });
      });
    },
    undo: () => ({
      ok: false,
      reason: "the old process has ended; a restart cannot be undone",
    }),
  };
}
