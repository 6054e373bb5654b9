import { statSync } from "node:fs";
import type { Executor } from "../../../execution/index.ts";
import type { Investigator } from "../../../investigation/index.ts";
import { AwoooiError, messageOf } from "../../../lib/error.ts";
import { KeyedMutex } from "../../../lib/keyed-mutex.ts";
import type { Log } from "../../../lib/log.ts";
import type { ProcessSupervisor, RunningProcess } from "../../../supervision/index.ts";
import type { Observer } from "../../../verification/index.ts";
import { carriersOf, copiesByName, copiesOf, inBackground } from "./background.ts";
import { type ProcessConfig, processConfig, processesConfig } from "./config.ts";
import { createExecutor } from "./executor.ts";
import { createInvestigator } from "./investigator.ts";
import { boundLog } from "./log-file.ts";
import { createObserver } from "./observer.ts";
import { sendProbe } from "./probe.ts";
import { oneLook, systemTable } from "./process-table.ts";
import { missingProgram } from "./program.ts";
import { start } from "./spawn.ts";
import { stopEach, stopGroup } from "./stop.ts";
import { hasChanged, latestStart, launchHash, locate, type Supervised, supervised } from "./supervised.ts";

/** The ports for processes of this machine, which run detached in their own sessions. */
export type LocalProcesses = ProcessSupervisor & {
  supervisor: ProcessSupervisor;
  executor: Executor;
  observer: Observer;
  investigator: Investigator;
};

type Deps = {
  /** Folder of the process files and logs. */
  state_dir: string;
  log: Log;
  /** Serialises changes by process, shared with executors of earlier configurations. */
  mutex?: KeyedMutex;
  /** Says, for people, by whom a process was stopped on purpose. */
  stopped?: (name: string) => string | undefined;
};

async function find(one: Supervised): Promise<RunningProcess | null> {
  const live = await locate(one);
  if (live === undefined) return null;
  const { pid, started_at, suspended } = live;
  return { pid, started_at, suspended, changed: await hasChanged(one, live) };
}

async function startOne(one: Supervised): Promise<{ pid: number; started: boolean }> {
  const live = await locate(one);
  if (live !== undefined) return { pid: live.pid, started: false };
  const left = inBackground(one.config.name, await copiesOf(one));
  if (left !== null) throw new AwoooiError("unavailable", `${one.config.name} is not started: ${left}`);
  const started = await start(one, null);
  if (started.ok) return { pid: started.pid, started: true };
  const { error, stderr = "" } = started;
  throw new AwoooiError("unavailable", [`${one.config.name}: ${error}`, stderr.trim()].join("\n").trim());
}

async function stopOne(one: Supervised): Promise<{ pid: number | null }> {
  const live = await locate(one);
  const carriers = await carriersOf(one);
  const stopped = live === undefined ? null : await stopGroup(one.table, live, one.config.stop_timeout_ms);
  // As systemd stops a unit: with everything that it has started, in any group.
  const error = stopped?.ok === false ? stopped.error : await stopEach(one, carriers);
  if (error !== undefined) throw new AwoooiError("unavailable", `${one.config.name}: ${error}`);
  return { pid: live?.pid ?? carriers[0]?.pid ?? null };
}

function create(processes: readonly ProcessConfig[], deps: Deps): LocalProcesses {
  const { state_dir, log, mutex = new KeyedMutex(), stopped = () => undefined } = deps;
  const all = new Map(
    processes.map((config) => {
      const own = { table: systemTable, log, stopped: () => stopped(config.name) };
      return [config.name, supervised(config, state_dir, own)];
    }),
  );
  const named = (name: string): Supervised => {
    const one = all.get(name);
    if (one === undefined)
      throw new AwoooiError("not_found", `There is no process ${name} in the configuration.`);
    return one;
  };
  const supervisor: ProcessSupervisor = {
    processes: processes.map((config) => {
      const { name, autostart, watch } = config;
      return { name, autostart, watch, launch: launchHash(config) };
    }),
    find: async (name) => find(named(name)),
    async survey() {
      const table = oneLook(systemTable);
      const seen = [...all.values()].map((one) => ({ ...one, table }));
      const running = new Map<string, RunningProcess | null | { error: string }>();
      for (const one of seen)
        running.set(
          one.config.name,
          await find(one).catch((error: unknown) => ({ error: messageOf(error) })),
        );
      const copies = await copiesByName(seen).catch(() => new Map<string, number[]>());
      return { running, copies };
    },
    copies: () => copiesByName(all.values()),
    boundLog: async (name) => boundLog(named(name)),
    latestStart: async (name) => latestStart(named(name)),
    async probe(name) {
      const { probe } = named(name).config;
      if (probe === undefined) return null;
      return sendProbe(probe);
    },
    start: async (name) => mutex.take(name, () => startOne(named(name))),
    stop: async (name) => mutex.take(name, () => stopOne(named(name))),
  };
  return {
    ...supervisor,
    supervisor,
    executor: createExecutor(all, mutex),
    observer: createObserver(all),
    investigator: createInvestigator(all),
  };
}

/** Reports programs that are missing or not executable, and missing folders. */
const problems = (processes: readonly ProcessConfig[]) =>
  processes.flatMap((process, index) => {
    const { cwd } = process;
    const program = missingProgram(process);
    const isFolder = cwd === undefined || statSync(cwd, { throwIfNoEntry: false })?.isDirectory() === true;
    return [
      ...(program === undefined ? [] : [{ path: `${index}.argv`, message: program, fatal: false }]),
      ...(isFolder ? [] : [{ path: `${index}.cwd`, message: `${cwd} is not a folder`, fatal: false }]),
    ];
  });

/** Supervises local processes: starts, stops and restarts them, and checks their health. */
export const localProcess = {
  id: "local-process",
  settings: { path: "processes", schema: processesConfig },
  processConfig,
  problems,
  names: (processes: readonly ProcessConfig[]) => ({ processes: processes.map(({ name }) => name) }),
  create,
};
