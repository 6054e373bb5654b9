import type { z } from "zod";
import type { Executor } from "../execution/index.ts";
import type { SignalStream } from "../intake/index.ts";
import type { Investigator } from "../investigation/index.ts";
import type { KeyedMutex } from "../lib/keyed-mutex.ts";
import type { Log } from "../lib/log.ts";
import type { Notifier } from "../notification/index.ts";
import type { ProcessSupervisor } from "../supervision/index.ts";
import type { Observer } from "../verification/index.ts";

/** A problem that the schema cannot find; `path` is dotted, relative to the settings. `fatal`: the server cannot work. */
type SettingProblem = { path: string; message: string; fatal: boolean };

/** Dependencies of executors. */
export type ExecutorDeps = {
  log: Log;
  /** Serialises work on one target, also between executors of successive configurations. */
  mutex: KeyedMutex;
  /** Folder for state that must survive a restart. */
  state_dir: string;
  /** Returns who stopped a process on purpose, as text for people. */
  stopped: (name: string) => string | undefined;
  /** Version of AWOOOI. */
  version: string;
};

/** The ports that a kind of executor implements; only `executor` is required. */
export type MadeExecutor = {
  executor: Executor;
  observer?: Observer;
  investigator?: Investigator;
  supervisor?: ProcessSupervisor;
  /** Called when another configuration is in force; running work continues. */
  retire?(): void;
  /** Releases its resources. */
  close?(): Promise<void>;
};

/** Names of what an installation can reach, as used in alerts and settings. */
export type KnownNames = {
  processes?: readonly string[];
  /** Each host with all its names. */
  hosts?: readonly { name: string; names: string[] }[];
  /** External tools, as `SERVER/TOOL`. */
  tools?: readonly string[];
};

/** A kind of executor: its settings and how to create it. */
export type ExecutorKind<Settings = unknown> = {
  id: string;
  /** Its section of the configuration. */
  settings: { path: string; schema: z.ZodType<Settings> };
  /** Checks what the settings name, such as files and programs, as they are now. */
  problems?(settings: Settings): readonly SettingProblem[];
  names?(settings: Settings): KnownNames;
  /** Creates the executor; null if no target is configured for it. Throws `invalid`. */
  create(settings: Settings, deps: ExecutorDeps): MadeExecutor | null;
};

/** Dependencies of streams. */
export type StreamDeps = {
  /** This process's consumer name, unique among all readers of the stream, past ones included. */
  consumer: string;
  log: Log;
};

/** A kind of stream that takes signals before they are in the journal. */
export type StreamKind<Settings = unknown> = {
  id: string;
  settings: {
    path: string;
    schema: z.ZodType<Settings>;
    /** Environment variables, each with the setting in the section that it overrides. */
    environment?: Readonly<Record<string, string>>;
  };
  /** Returns the stream's name, which senders of signals are told. */
  streamName(settings: Settings): string;
  /** Creates the stream; null if none is configured. */
  create(settings: Settings, deps: StreamDeps): SignalStream | null;
};

/** Dependencies of notifiers. */
export type NotifierDeps = {
  print: (line: string) => void;
  /** How `awoooi` is called on this machine, for the hints in its output. */
  program?: string | undefined;
};

/** A kind of notification channel. */
export type NotifierKind<Settings = unknown> = {
  /** Also the name of its channel that has no name of its own. */
  id: string;
  /** Its settings by name within `notification`. */
  settings: Readonly<Record<string, z.ZodType>>;
  /** Its notices are visible on the server only. */
  local?: true;
  /** Returns the channels of the section; `path` leads to the channel's name, null for the one named like its kind. */
  channels(section: Settings): readonly { name: string; path: readonly (string | number)[] | null }[];
  create(section: Settings, deps: NotifierDeps): Notifier[];
};
