import { isDeepStrictEqual } from "node:util";
import { kubernetes } from "../adapters/executors/kubernetes/index.ts";
import { localProcess } from "../adapters/executors/local-process/index.ts";
import { mcp } from "../adapters/executors/mcp/index.ts";
import { ssh } from "../adapters/executors/ssh/index.ts";
import { log } from "../adapters/notifiers/log/index.ts";
import { webhook } from "../adapters/notifiers/webhook/index.ts";
import { redisStream } from "../adapters/streams/redis/index.ts";
import type { Executor } from "../execution/index.ts";
import type { SignalStream, Source } from "../intake/index.ts";
import type { Investigator } from "../investigation/index.ts";
import { KeyedMutex } from "../lib/keyed-mutex.ts";
import type { Log } from "../lib/log.ts";
import type { Notifier } from "../notification/index.ts";
import type { ProcessSupervisor } from "../supervision/index.ts";
import type { Observer } from "../verification/index.ts";
import { SOURCES } from "./adapters.ts";
import { settingAt } from "./config.ts";
import type { Config } from "./config-schema.ts";
import { VERSION } from "./version.ts";

/** Everything that the outside is reached through. */
export type Adapters = {
  sources: readonly Source[];
  executors: readonly Executor[];
  observers: readonly Observer[];
  investigators: readonly Investigator[];
  notifiers: readonly Notifier[];
  /** What starts and stops the processes of this machine. */
  supervisor: ProcessSupervisor;
};

/** The adapters of a configuration, and those of the ones that take its place. */
export type AdapterSet = Adapters & {
  /** Those of another configuration, made while the ones before are in use: nothing is touched yet. */
  next(config: Config): Adapters;
  /** Those that `next` made last are in force. What is under way goes on with the ones from before. */
  inForce(): void;
  /** Ends what they have started. */
  stop(): Promise<void>;
};

type Deps = {
  state_dir: string;
  /** By whom a process was stopped on purpose, for people. */
  stopped?: (name: string) => string | undefined;
  print: (line: string) => void;
  /** How `awoooi` is called where its hints are read. */
  program?: string | undefined;
  log: Log;
};

/** Those that tell people. */
function createNotifiers(config: Config, deps: Pick<Deps, "print" | "program">): Adapters["notifiers"] {
  const { enabled, terminal, webhook: hook, webhooks } = config.notification;
  if (!enabled) return [];
  return [
    ...(terminal ? [log.create(deps)] : []),
    ...(hook === undefined ? [] : [webhook.create(hook)]),
    ...webhooks.map((one) => webhook.create(one)),
  ];
}

/** Those that understand what senders say. */
export function createSources(config: Config): Adapters["sources"] {
  return SOURCES.flatMap((kind) => kind.create(kind.settings && settingAt(config, kind.settings.path)));
}

/** The stream that signals are put on; null: it is the journal. `consumer` names this server among its readers. */
export function createStream(
  { redis: { url, ...settings } }: Config,
  deps: { consumer: string; log: Log },
): SignalStream | null {
  return url === undefined ? null : redisStream.create({ url, ...settings }, deps);
}

/** Hosts of one configuration after the other: where it does not change, its connections stay. */
function hostSet(first: Config["ssh"], log: Log) {
  const turns = new KeyedMutex();
  const make = (config: Config["ssh"]) => ({ config, hosts: ssh.create(config, { log, turns }) });
  let current = make(first);
  let made = current;
  const all = new Set([current.hosts]);
  return {
    of(config: Config["ssh"]) {
      made = isDeepStrictEqual(config, current.config) ? current : make(config);
      all.add(made.hosts);
      return made.hosts;
    },
    inForce() {
      if (made !== current) current.hosts.retire();
      current = made;
    },
    async close() {
      await Promise.all([...all].map((one) => one.close()));
    },
  };
}

/**
 * The adapters that the configuration asks for, and those of the ones that take its place. A new one is one line here, and
 * its folder. Those that act on one thing take turns, whichever configuration they are of.
 */
export function createAdapters(first: Config, deps: Deps): AdapterSet {
  const { state_dir, stopped = () => undefined, log } = deps;
  const turns = new KeyedMutex();
  const hosts = hostSet(first.ssh, log);
  // These are of the first configuration for as long as the server runs.
  const cluster = kubernetes.create(first.kubernetes);
  const tools = mcp.create(first.mcp, { log, version: VERSION });
  const of = (config: Config): Adapters => {
    const processes = localProcess.create(
      { processes: config.processes, state_dir },
      { log, turns, stopped },
    );
    const reachable = hosts.of(config.ssh);
    // An operation is offered only where there is something to carry it out on.
    const reached = [
      ...(cluster === null ? [] : [cluster]),
      ...(reachable.names.length > 0 ? [reachable] : []),
    ];
    return {
      sources: createSources(config),
      notifiers: createNotifiers(config, deps),
      executors: [processes, ...reached, tools].map(({ executor }) => executor),
      observers: [processes, ...reached].map(({ observer }) => observer),
      investigators: [processes, ...reached].map(({ investigator }) => investigator),
      supervisor: processes,
    };
  };
  return {
    ...of(first),
    next: of,
    inForce: hosts.inForce,
    async stop() {
      await Promise.all([hosts.close(), tools.stop()]);
    },
  };
}
