import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { readdir, readFile, readlink } from "node:fs/promises";
import { uptime } from "node:os";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import { shareConcurrentReads } from "../../../lib/shared-read.ts";

/** A process as the system reports it; `start_time` distinguishes it from a later one with the same pid. */
export type SystemProcess = { pid: number; parent: number; group: number; state: string; start_time: string };

/** Reads the system's processes. */
export type ProcessTable = {
  find(pid: number): Promise<SystemProcess | undefined>;
  all(): Promise<SystemProcess[]>;
  startedAt(process: SystemProcess): Date;
  /** Identifies the boot: start times of different boots are not comparable. */
  boot: string | null;
  /** Reads all live processes with their marks in one walk; undefined where the system does not show marks. */
  marked: (() => Promise<MarkedProcesses>) | undefined;
};

/** `marks` by pid, for the processes whose marks may be read. */
export type MarkedProcesses = { all: SystemProcess[]; marks: ReadonlyMap<number, Marks> };

/** The environment that a process was started with, and the files that its output goes to. */
export type Marks = {
  env: ReadonlyMap<string, string>;
  stdout: string | undefined;
  stderr: string | undefined;
};

/** Returns whether a process runs or is suspended: a zombie has ended and only waits to be reaped. */
export const lives = (process: SystemProcess | undefined): process is SystemProcess =>
  process !== undefined && !/^[ZX]/i.test(process.state);

const TICKS_PER_SECOND = 100;
// A synchronous read takes about 25 µs, a fifth of one in the thread pool; after each batch the event loop has a turn.
const BATCH = 200;

/** Parses `/proc/<pid>/stat`; the program's name, in brackets, may itself contain brackets and spaces. */
function parseStat(pid: number, text: string): SystemProcess | undefined {
  const fields = text
    .slice(text.lastIndexOf(")") + 1)
    .trim()
    .split(" ");
  const [state, parent, group] = fields;
  const startTime = fields[19];
  if (state === undefined || group === undefined || startTime === undefined) return undefined;
  return { pid, parent: Number(parent), group: Number(group), state, start_time: startTime };
}

/** Returns undefined for a process that is gone or hidden. Throws any other error: a full file table must not read as "ended". */
function absent(error: unknown): undefined {
  const { code = "" } = error as NodeJS.ErrnoException;
  if (!["ENOENT", "ESRCH", "EACCES", "EPERM"].includes(code)) throw error;
}

function readNow(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    return absent(error);
  }
}

const OUR_VARIABLES = "AWOOOI_";
// A part of a text keeps the whole of it in memory.
const copyOf = (text: string) => Buffer.from(text).toString();

async function marksOf(pid: number): Promise<Marks | undefined> {
  const text = await readFile(`/proc/${pid}/environ`, "utf8").catch(absent);
  if (text === undefined) return undefined;
  // Only our own variables, as copies: the environments of other programs hold secrets, and are not kept.
  const env = new Map(
    text
      .split("\0")
      .filter((entry) => entry.startsWith(OUR_VARIABLES))
      .map((entry): [string, string] => {
        const at = entry.indexOf("=");
        return [copyOf(entry.slice(0, at)), copyOf(entry.slice(at + 1))];
      }),
  );
  const output = (fd: number) => readlink(`/proc/${pid}/fd/${fd}`).catch(absent);
  return { env, stdout: await output(1), stderr: await output(2) };
}

async function allOfProc(): Promise<SystemProcess[]> {
  const pids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry)).map(Number);
  const found: SystemProcess[] = [];
  for (const [index, pid] of pids.entries()) {
    if (index % BATCH === BATCH - 1) await setImmediate();
    const text = readNow(`/proc/${pid}/stat`);
    const one = text === undefined ? undefined : parseStat(pid, text);
    if (one !== undefined) found.push(one);
  }
  return found;
}

// An older process has completed its exec: its environment no longer changes.
const SETTLED_TICKS = 10 * TICKS_PER_SECOND;

/** Creates a reader of all marks. It caches those of processes older than 10 s, which do not change any more. */
function markReader(): () => Promise<MarkedProcesses> {
  let remembered = new Map<string, Marks>();
  return async () => {
    const all = (await allOfProc()).filter(lives);
    const marks = new Map<number, Marks>();
    const settled = new Map<string, Marks>();
    const now = uptime() * TICKS_PER_SECOND;
    // One after the other: a thousand files open at once could exceed the limit.
    for (const { pid, start_time } of all) {
      const key = `${pid} ${start_time}`;
      const own = remembered.get(key) ?? (await marksOf(pid));
      if (own === undefined) continue;
      marks.set(pid, own);
      if (now - Number(start_time) > SETTLED_TICKS) settled.set(key, own);
    }
    remembered = settled;
    return { all, marks };
  };
}

/** Reads processes from `/proc` on Linux. */
export const procTable: ProcessTable = {
  // Synchronous, so that no other code of this server runs between the check of a process and the signal to it.
  async find(pid) {
    const text = readNow(`/proc/${pid}/stat`);
    return text === undefined ? undefined : parseStat(pid, text);
  },
  all: allOfProc,
  startedAt({ start_time }) {
    const age = uptime() - Number(start_time) / TICKS_PER_SECOND;
    return new Date(Date.now() - Math.max(age, 0) * 1000);
  },
  boot: process.platform === "linux" ? (readNow("/proc/sys/kernel/random/boot_id")?.trim() ?? null) : null,
  // Concurrent callers share one walk.
  marked: shareConcurrentReads(markReader()),
};

const run = promisify(execFile);
const PS = { env: { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" }, maxBuffer: 64 * 1024 * 1024 };
const COLUMNS = "pid=,ppid=,pgid=,stat=,lstart=";

async function ps(which: string[]): Promise<SystemProcess[]> {
  const { stdout } = await run("ps", [...which, "-o", COLUMNS], PS).catch((error) => {
    // ps exits with 1 when it finds no process.
    if (error.code === 1) return { stdout: "" };
    throw error;
  });
  return stdout.split("\n").flatMap((line) => {
    const [, pid, parent, group, state, startTime] =
      /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.+?)\s*$/.exec(line) ?? [];
    if (state === undefined || startTime === undefined) return [];
    const numbers = { pid: Number(pid), parent: Number(parent), group: Number(group) };
    return [{ ...numbers, state, start_time: startTime }];
  });
}

/** Reads processes with `ps` on other systems: start times to the second, and no marks. */
export const psTable: ProcessTable = {
  find: async (pid) => (await ps(["-p", String(pid)]))[0],
  all: () => ps(["-A"]),
  startedAt: ({ start_time }) => new Date(`${start_time} UTC`),
  boot: null,
  marked: undefined,
};

/** Returns a table that reads all marks at most once. Only for display: acting needs fresh data. */
export function oneLook(table: ProcessTable): ProcessTable {
  let seen: Promise<MarkedProcesses> | undefined;
  const { marked } = table;
  return { ...table, marked: marked && (() => (seen ??= marked())) };
}

export const systemTable: ProcessTable = process.platform === "linux" ? procTable : psTable;
