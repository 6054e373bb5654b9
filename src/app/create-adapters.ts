import { isDeepStrictEqual } from "node:util";
import { redisStream } from "../adapters/streams/redis/index.ts";
import type { Executor } from "../execution/index.ts";
import type { SignalStream, Source } from "../intake/index.ts";
import type { Investigator } from "../investigation/index.ts";
import { KeyedMutex } from "../lib/keyed-mutex.ts";
import type { Log } from "../lib/log.ts";
import type { Notifier } from "../notification/index.ts";
import type { ProcessSupervisor } from "../supervision/index.ts";
import type { Observer } from "../verification/index.ts";
import { EXECUTORS, NOTIFIERS, SOURCES } from "./adapters.ts";
import { settingAt } from "./config.ts";
import type { Config } from "./config-schema.ts";
import type { ExecutorDeps, ExecutorKind, KnownNames, MadeExecutor, NotifierDeps } from "./kinds.ts";
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
function createNotifiers({ notification }: Config, deps: NotifierDeps): Adapters["notifiers"] {
  return notification.enabled ? NOTIFIERS.flatMap((kind) => kind.create(notification, deps)) : [];
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

/** The names of what executors are configured to reach. */
export function knownNames<What extends keyof KnownNames>(
  config: Config,
  what: What,
): NonNullable<KnownNames[What]>[number][] {
  return EXECUTORS.flatMap(({ settings, names }) => {
    const known: readonly unknown[] = names?.(settingAt(config, settings.path))[what] ?? [];
    return known as NonNullable<KnownNames[What]>[number][];
  });
}

/** What a kind comes to with one configuration after the other: where its settings do not change, it stays. */
function succession(kind: ExecutorKind, first: Config, deps: Omit<ExecutorDeps, "turns">) {
  const turns = new KeyedMutex();
  const make = (config: Config) => {
    const settings = settingAt(config, kind.settings.path);
    return { settings, one: kind.create(settings, { ...deps, turns }) };
  };
  let current = make(first);
  let made = current;
  const all = new Set([current.one]);
  return {
    of(config: Config): MadeExecutor | null {
      const settings = settingAt(config, kind.settings.path);
      made = isDeepStrictEqual(settings, current.settings) ? current : make(config);
      all.add(made.one);
      return made.one;
    },
    inForce() {
      if (made !== current) current.one?.retire?.();
      current = made;
    },
    async stop() {
      await Promise.all([...all].map((one) => one?.close?.()));
    },
  };
}

/** The adapters that the configuration asks for, and those of the ones that take its place. */
export function createAdapters(first: Config, deps: Deps): AdapterSet {
  const { state_dir, stopped = () => undefined, log } = deps;
  const own = { state_dir, stopped, log, version: VERSION };
  const successions = EXECUTORS.map((kind) => succession(kind, first, own));
  const of = (config: Config): Adapters => {
    const made = successions.flatMap((one) => one.of(config) ?? []);
    const [supervisor, ...others] = made.flatMap((one) => one.supervisor ?? []);
    if (supervisor === undefined || others.length > 0) throw new Error("one executor supervises processes");
    return {
      sources: createSources(config),
      notifiers: createNotifiers(config, deps),
      executors: made.map(({ executor }) => executor),
      observers: made.flatMap(({ observer }) => observer ?? []),
      investigators: made.flatMap(({ investigator }) => investigator ?? []),
      supervisor,
    };
  };
  return {
    ...of(first),
    next: of,
    inForce() {
      for (const one of successions) one.inForce();
    },
    async stop() {
      await Promise.all(successions.map((one) => one.stop()));
    },
  };
}
