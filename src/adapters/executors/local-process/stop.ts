import { wait } from "../../../lib/wait.ts";
import { lives, type ProcessTable, type SystemProcess } from "./process-table.ts";
import { ofThisBoot, recordOf, type Supervised } from "./supervised.ts";

/** Result of a stop; `sent`: whether a signal was sent. */
export type Stopped =
  | { ok: true; by: "SIGTERM" | "SIGKILL" | "itself"; seconds: number }
  | { ok: false; error: string; sent: boolean };

/** Time to wait after SIGKILL, which only a process that hangs in the kernel survives. */
const KILL_PATIENCE_MS = 5_000;
const LOOK_MS = 20;

type Target = { pid: number; start_time: string };

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code;

/** Sends a signal; returns false when no such process or group exists. */
function send(to: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(to, signal);
  } catch (error) {
    if (codeOf(error) === "ESRCH") return false;
    throw error;
  }
}

/** Returns the live processes of a group. */
async function membersOf(table: ProcessTable, group: number): Promise<SystemProcess[]> {
  return (await table.all()).filter((one) => one.group === group && lives(one));
}

/** Returns whether the process and everything in its group have ended. */
async function gone(table: ProcessTable, target: Target): Promise<boolean> {
  const leader = await table.find(target.pid);
  if (leader !== undefined && leader.start_time !== target.start_time) return true;
  if (lives(leader)) return false;
  try {
    if (!send(-target.pid, 0)) return true;
  } catch {
    // The group has a process that this account may not signal.
  }
  return (await membersOf(table, target.pid)).length === 0;
}

async function goneWithin(
  table: ProcessTable,
  target: Target,
  milliseconds: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const until = performance.now() + milliseconds;
  for (;;) {
    if (await gone(table, target)) return true;
    const left = until - performance.now();
    if (left <= 0 || signal?.aborted) return false;
    await wait(Math.min(left, LOOK_MS), signal);
  }
}

/** Returns the id to signal: the process's group, the process alone if it leads no group, or undefined if the pid is reused. */
async function stillTheirs(table: ProcessTable, target: Target): Promise<number | undefined> {
  const leader = await table.find(target.pid);
  if (leader === undefined) return -target.pid;
  if (leader.start_time !== target.start_time) return undefined;
  return leader.group === target.pid ? -target.pid : target.pid;
}

/**
 * Ends a process and everything in its group: SIGTERM, after `patience` milliseconds SIGKILL. Sends no
 * signal when the pid now belongs to another process. Returns early when `signal` is aborted.
 */
export async function stopGroup(
  table: ProcessTable,
  target: Target,
  patience: number,
  signal?: AbortSignal,
): Promise<Stopped> {
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  let sent = false;
  for (const [by, milliseconds] of [
    ["SIGTERM", patience],
    ["SIGKILL", KILL_PATIENCE_MS],
  ] as const) {
    try {
      const to = await stillTheirs(table, target);
      if (to === undefined || !send(to, by)) {
        return { ok: true, by: sent ? "SIGTERM" : "itself", seconds: seconds() };
      }
      sent = true;
      // A suspended process handles SIGTERM only once continued.
      if (by === "SIGTERM") send(to, "SIGCONT");
    } catch (error) {
      return { ok: false, error: `pid ${target.pid} cannot be signalled (${codeOf(error)})`, sent };
    }
    if (await goneWithin(table, target, milliseconds, signal)) return { ok: true, by, seconds: seconds() };
    if (signal?.aborted) {
      return { ok: false, error: `cancelled while pid ${target.pid} was ending`, sent };
    }
  }
  return {
    ok: false,
    error: `pid ${target.pid} or one of its group is still alive after SIGKILL (${seconds().toFixed(1)} s)`,
    sent,
  };
}

/** Ends each target that still lives, with its group. Returns the first error, if any. */
export async function stopEach(
  { table, config }: Supervised,
  targets: readonly Target[],
  signal?: AbortSignal,
): Promise<string | undefined> {
  const ends = targets.map((target) => stopGroup(table, target, config.stop_timeout_ms, signal));
  return (await Promise.all(ends)).flatMap((one) => (one.ok ? [] : [one.error]))[0];
}

/**
 * Ends what an ended process has left in its group, such as workers that hold its port, but only when the
 * system shows that all of them were started for this name. Returns how many were ended.
 */
export async function stopLeftOver(one: Supervised, signal: AbortSignal): Promise<number> {
  const { table, config } = one;
  const record = await recordOf(one);
  if (record === undefined || table.marked === undefined || !ofThisBoot(one, record)) return 0;
  if (lives(await table.find(record.pid))) return 0;
  const { all, marks } = await table.marked();
  const members = all.filter(({ group }) => group === record.pid);
  const ours = members.every(({ pid }) => marks.get(pid)?.env.get("AWOOOI_PROCESS") === config.name);
  if (members.length === 0 || !ours) return 0;
  const stopped = await stopGroup(table, record, config.stop_timeout_ms, signal);
  return stopped.ok ? members.length : 0;
}
