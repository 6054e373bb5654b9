import { realpath } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { canonicalJson, sha256 } from "../../../lib/canonical-json.ts";
import type { Log } from "../../../lib/log.ts";
import type { ProcessConfig } from "./config.ts";
import { type ProcessRecord, readRecord, writeRecord } from "./process-file.ts";
import { lives, type Marks, type ProcessTable, type SystemProcess } from "./process-table.ts";

/** A configured process with its record and log files and the process table that finds it. */
export type Supervised = {
  config: ProcessConfig;
  recordFile: string;
  logFile: string;
  table: ProcessTable;
  log: Log;
  /** Says, for people, by whom it was stopped on purpose; undefined: it should run. */
  stopped: () => string | undefined;
};

/** A running process that is known to have been started for a configured name. */
export type Live = Pick<ProcessRecord, "pid" | "start_time" | "execution_id" | "started_at"> & {
  suspended: boolean;
};

export function supervised(
  config: ProcessConfig,
  stateDir: string,
  deps: Pick<Supervised, "table" | "log" | "stopped">,
): Supervised {
  const file = (suffix: string) => join(resolve(stateDir), `${config.name}.${suffix}`);
  return { config, recordFile: file("json"), logFile: file("log"), ...deps };
}

/** Reads the process file. A damaged file counts as none: the process is then found by its marks. */
export async function recordOf(one: Supervised): Promise<ProcessRecord | undefined> {
  const record = await readRecord(one.recordFile);
  if (record !== "invalid") return record;
  one.log.warn({ process: one.config.name, file: one.recordFile }, "the process file is damaged");
  return undefined;
}

/** Returns an identifier of the recorded start: boot, pid and start time; `none` without a record. */
export async function latestStart(one: Supervised): Promise<string> {
  const record = await readRecord(one.recordFile);
  if (record === undefined || record === "invalid") return "none";
  return [record.boot, record.pid, record.start_time].join(" ");
}

/** Returns a hash of everything that a start uses, to tell whether the configuration changed since. */
export function launchHash({ argv, cwd, env, uid, gid }: ProcessConfig): string {
  return sha256(canonicalJson(JSON.parse(JSON.stringify({ argv, cwd, env, uid, gid }))));
}

export async function keepRecord(one: Supervised, live: Omit<Live, "suspended">): Promise<void> {
  const { pid, start_time, execution_id, started_at } = live;
  const argv_hash = sha256(JSON.stringify(one.config.argv));
  const launch_hash = launchHash(one.config);
  const { boot } = one.table;
  await writeRecord(one.recordFile, {
    pid,
    start_time,
    execution_id,
    started_at,
    argv_hash,
    launch_hash,
    boot,
  });
}

/** Returns whether the configuration has changed since the start, as far as the record shows. */
export async function hasChanged(one: Supervised, live: Live): Promise<boolean> {
  const record = await recordOf(one);
  if (record?.pid !== live.pid || record.start_time !== live.start_time) return false;
  if (record.launch_hash !== null) return record.launch_hash !== launchHash(one.config);
  return record.argv_hash !== sha256(JSON.stringify(one.config.argv));
}

/** Returns whether a record's start time counts from this boot. */
export const ofThisBoot = (one: Supervised, record: ProcessRecord) =>
  record.boot === null || one.table.boot === null || record.boot === one.table.boot;

const suspended = (process: SystemProcess) => /^t/i.test(process.state);

async function byRecord(one: Supervised): Promise<Live | undefined> {
  const record = await recordOf(one);
  if (record === undefined || !ofThisBoot(one, record)) return undefined;
  const found = await one.table.find(record.pid);
  if (!lives(found) || found.start_time !== record.start_time) return undefined;
  return { ...record, suspended: suspended(found) };
}

/** Finds the oldest process that leads a group, was started for the name and whose marks `suits` accepts. */
async function byMarks(one: Supervised, suits: (marks: Marks) => boolean): Promise<Live | undefined> {
  const { marked, startedAt } = one.table;
  if (marked === undefined) return undefined;
  const { all, marks } = await marked();
  const leaders = all.filter(({ pid, group }) => pid === group);
  leaders.sort((a, b) => Number(a.start_time) - Number(b.start_time));
  for (const leader of leaders) {
    const found = marks.get(leader.pid);
    if (found?.env.get("AWOOOI_PROCESS") !== one.config.name || !suits(found)) continue;
    return {
      pid: leader.pid,
      start_time: leader.start_time,
      execution_id: found.env.get("AWOOOI_EXECUTION_ID") ?? null,
      started_at: startedAt(leader).toISOString(),
      suspended: suspended(leader),
    };
  }
  return undefined;
}

/** Returns what identifies this installation to its processes: the folder of its process files and logs. */
export const installationOf = ({ logFile }: Supervised): Promise<string> =>
  realpath(dirname(logFile)).catch(() => dirname(logFile));

/** Returns whether a file is the log of a process name, or its kept generation `.1`. */
export const isLogOf = (folder: string, name: string, file: string | undefined): boolean => {
  const log = join(folder, `${name}.log`);
  return [log, `${log}.1`].includes(file?.replace(/ \(deleted\)$/, "") ?? "");
};

async function ownLog(one: Supervised): Promise<(marks: Marks) => boolean> {
  const folder = await installationOf(one);
  return ({ stdout }) => isLogOf(folder, one.config.name, stdout);
}

/**
 * Finds the running process. If the process file does not lead to one, it is recognised by its environment
 * and by its log in this installation's folder, to which no other installation's process writes.
 */
export async function locate(one: Supervised): Promise<Live | undefined> {
  return (await byRecord(one)) ?? byMarks(one, await ownLog(one));
}

/** Finds the live process that this execution started, even if the server crashed before writing the process file. */
async function carrierOf(one: Supervised, execution_id: string): Promise<Live | undefined> {
  const recorded = await byRecord(one);
  if (recorded?.execution_id === execution_id) return recorded;
  return byMarks(one, ({ env }) => env.get("AWOOOI_EXECUTION_ID") === execution_id);
}

/** Finds the process that this execution started, and writes it to the process file if that has another. */
export async function adoptCarrier(one: Supervised, execution_id: string): Promise<Live | undefined> {
  const carrier = await carrierOf(one, execution_id);
  if (carrier === undefined) return undefined;
  const record = await recordOf(one);
  if (record?.pid !== carrier.pid || record.start_time !== carrier.start_time) {
    one.log.info({ process: one.config.name, pid: carrier.pid, execution_id }, "adopted a running process");
    await keepRecord(one, carrier);
  }
  return carrier;
}
