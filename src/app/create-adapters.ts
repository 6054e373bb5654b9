import { isDeepStrictEqual } from "node:util";
import type { Executor } from "../execution/index.ts";
import type { SignalStream, Source } from "../intake/index.ts";
import type { Investigator } from "../investigation/index.ts";
import { KeyedMutex } from "../lib/keyed-mutex.ts";
import type { Log } from "../lib/log.ts";
import type { Notifier } from "../notification/index.ts";
import type { ProcessSupervisor } from "../supervision/index.ts";
import type { Observer } from "../verification/index.ts";
import { EXECUTORS, NOTIFIERS, SOURCES, STREAMS } from "./adapters.ts";
import { settingAt } from "./config/load.ts";
import type { Config } from "./config/schema.ts";
import type {
  ExecutorDeps,
  ExecutorKind,
  KnownNames,
  MadeExecutor,
  NotifierDeps,
  StreamDeps,
} from "./kinds.ts";
import { VERSION } from "./version.ts";

/** All connections to external systems, by the port that they implement. */
export type Adapters = {
  sources: readonly Source[];
  executors: readonly Executor[];
  observers: readonly Observer[];
  investigators: readonly Investigator[];
  notifiers: readonly Notifier[];
  /** Starts and stops the supervised processes of this machine. */
  supervisor: ProcessSupervisor;
};

/** The adapters of the first configuration, and the means to replace them after a reload. */
export type AdapterSet = Adapters & {
  /** Creates the adapters of another configuration without affecting those in use. */
  next(config: Config): Adapters;
  /** Puts the adapters that `next` created last in force. Running work continues with the earlier ones. */
  inForce(): void;
  /** Closes all adapters that were created. */
  stop(): Promise<void>;
};

type Deps = {
  state_dir: string;
  /** Returns who stopped a process on purpose, as text for people. */
  stopped?: (name: string) => string | undefined;
  print: (line: string) => void;
  /** How `awoooi` is called on this machine, for the hints in its output. */
  program?: string | undefined;
  log: Log;
};

/** Creates the configured notifiers; none if notification is disabled. */
function createNotifiers({ notification }: Config, deps: NotifierDeps): Adapters["notifiers"] {
  return notification.enabled ? NOTIFIERS.flatMap((kind) => kind.create(notification, deps)) : [];
}

/** Creates the configured alert sources. */
export function createSources(config: Config): Adapters["sources"] {
  return SOURCES.flatMap((kind) => kind.create(kind.settings && settingAt(config, kind.settings.path)));
}

/** Creates the signal stream, null if none is configured, and returns it with its name. */
export function createStream(
  config: Config,
  deps: StreamDeps,
): { stream: SignalStream | null; name: string } {
  const all = STREAMS.map((kind) => {
    const settings = settingAt(config, kind.settings.path);
    return { name: kind.streamName(settings), create: () => kind.create(settings, deps) };
  });
  for (const { name, create } of all) {
    const stream = create();
    if (stream !== null) return { stream, name };
  }
  return { stream: null, name: all[0]?.name ?? "" };
}

/** Returns the names of one kind (processes, hosts or tools) that executors are configured to reach. */
export function knownNames<What extends keyof KnownNames>(
  config: Config,
  what: What,
): NonNullable<KnownNames[What]>[number][] {
  return EXECUTORS.flatMap(({ settings, names }) => {
    const known: readonly unknown[] = names?.(settingAt(config, settings.path))[what] ?? [];
    return known as NonNullable<KnownNames[What]>[number][];
  });
}

/** Creates the executor of a kind for each configuration in turn; if its settings do not change, it is reused. */
function succession(kind: ExecutorKind, first: Config, deps: Omit<ExecutorDeps, "mutex">) {
  const mutex = new KeyedMutex();
  const settingsOf = (config: Config) => settingAt(config, kind.settings.path);
  const make = (settings: unknown) => ({ settings, one: kind.create(settings, { ...deps, mutex }) });
  let current = make(settingsOf(first));
  let made = current;
  const all = new Set([current.one]);
  return {
    of(config: Config): MadeExecutor | null {
      const settings = settingsOf(config);
      made = isDeepStrictEqual(settings, current.settings) ? current : make(settings);
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

/** Creates the adapters of a configuration; those of later configurations come from `next`. */
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
