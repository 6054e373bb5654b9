import type { Investigator } from "../../../decision/index.ts";
import type { Executor } from "../../../execution/index.ts";
import { AwoooiError } from "../../../lib/error.ts";
import type { Log } from "../../../lib/log.ts";
import { Turns } from "../../../lib/turns.ts";
import type { Observer } from "../../../verification/index.ts";
import { type LocalProcessConfig, localProcessConfig, processConfig } from "./config.ts";
import { createExecutor } from "./executor.ts";
import { createInvestigator } from "./investigator.ts";
import { createObserver } from "./observer.ts";
import { systemTable } from "./process-table.ts";
import { start } from "./spawn.ts";
import { stopGroup } from "./stop.ts";
import { locate, type Supervised, supervised } from "./supervised.ts";

export { type LocalProcessConfig, type ProcessConfig, processConfig } from "./config.ts";

/** Processes of this machine that live in sessions of their own and are restarted when that is decided. */
export type LocalProcesses = {
  executor: Executor;
  observer: Observer;
  investigator: Investigator;
  names: readonly string[];
  /** Starts it if it does not run. Throws, with the end of its log, when it does not stay up. */
  start(name: string): Promise<{ pid: number; started: boolean }>;
  /** Ends it, with its whole group, if it runs. */
  stop(name: string): Promise<void>;
};

async function startOne(one: Supervised): Promise<{ pid: number; started: boolean }> {
  const live = await locate(one);
  if (live !== undefined) return { pid: live.pid, started: false };
  const started = await start(one, null);
  if (started.ok) return { pid: started.pid, started: true };
  const { error, stderr = "" } = started;
  throw new AwoooiError("unavailable", [`${one.config.name}: ${error}`, stderr.trim()].join("\n").trim());
}

async function stopOne(one: Supervised): Promise<void> {
  const live = await locate(one);
  if (live === undefined) return;
  const stopped = await stopGroup(one.table, live, one.config.stop_timeout_ms);
  if (!stopped.ok) throw new AwoooiError("unavailable", `${one.config.name}: ${stopped.error}`);
}

function create({ processes, state_dir }: LocalProcessConfig, { log }: { log: Log }): LocalProcesses {
  const all = new Map(
    processes.map((config) => [config.name, supervised(config, state_dir, { table: systemTable, log })]),
  );
  const turns = new Turns();
  const inTurn = async <T>(name: string, work: (one: Supervised) => Promise<T>): Promise<T> => {
    const one = all.get(name);
    if (one === undefined) throw new AwoooiError("not_found", `no process "${name}" is configured`);
    return turns.take(name, () => work(one));
  };
  return {
    executor: createExecutor(all, turns),
    observer: createObserver(all),
    investigator: createInvestigator(all),
    names: [...all.keys()],
    start: (name) => inTurn(name, startOne),
    stop: (name) => inTurn(name, stopOne),
  };
}

/** Supervises local processes: restarts them, and sees whether they are well. */
export const localProcess = {
  id: "local-process",
  config: localProcessConfig,
  processConfig,
  describe: () => ({
    name: "Local processes",
    kind: "executor" as const,
    config: localProcessConfig,
    secrets: ["processes[].env"],
    capabilities: ["process.restart", "observe"],
  }),
  create,
};
