import type { z } from "zod";
import type { Executor } from "../execution/index.ts";
import type { Investigator } from "../investigation/index.ts";
import type { KeyedMutex } from "../lib/keyed-mutex.ts";
import type { Log } from "../lib/log.ts";
import type { Notifier } from "../notification/index.ts";
import type { ProcessSupervisor } from "../supervision/index.ts";
import type { Observer } from "../verification/index.ts";

/** What is wrong with settings beyond their form; `path` is dotted, within them. `fatal`: the server cannot work so. */
type SettingProblem = { path: string; message: string; fatal: boolean };

/** What executors are made with. */
export type ExecutorDeps = {
  log: Log;
  /** Of all that act on one thing, also with the configuration from before. */
  turns: KeyedMutex;
  /** Folder for what must be known after a restart. */
  state_dir: string;
  /** By whom a process was stopped on purpose, for people. */
  stopped: (name: string) => string | undefined;
  /** Of AWOOOI. */
  version: string;
};

/** What a kind of executor comes to: what acts, and where there is one what looks, finds out and starts. */
export type MadeExecutor = {
  executor: Executor;
  observer?: Observer;
  investigator?: Investigator;
  supervisor?: ProcessSupervisor;
  /** Another configuration is in force: what is under way goes on. */
  retire?(): void;
  /** Ends what it has started. */
  close?(): Promise<void>;
};

/** Names by which alerts and settings may mean what an installation can reach. */
export type KnownNames = {
  processes?: readonly string[];
  /** Each host with everything that it may be called. */
  hosts?: readonly { name: string; names: string[] }[];
  /** External tools, as `SERVER/TOOL`. */
  tools?: readonly string[];
};

/** A kind of executor: what it needs to be configured and made. */
export type ExecutorKind<Settings = unknown> = {
  id: string;
  /** A section of the configuration of its own. Whether it can change while the server runs. */
  settings: { path: string; schema: z.ZodType<Settings>; reloadable: boolean };
  /** Looks at what the settings name, such as files and programs, as it is now. */
  problems?(settings: Settings): readonly SettingProblem[];
  names?(settings: Settings): KnownNames;
  /** Null: nothing is configured that it could act on. Throws `invalid`. */
  create(settings: Settings, deps: ExecutorDeps): MadeExecutor | null;
};

/** What notifiers are made with. */
export type NotifierDeps = {
  print: (line: string) => void;
  /** How `awoooi` is called where its hints are read. */
  program?: string | undefined;
};

/** A kind of channel that people are told on. */
export type NotifierKind<Settings = unknown> = {
  /** Also the name of its only channel, or of the one that has no name of its own. */
  id: string;
  /** By their names within `notification`. They can change while the server runs. */
  settings: Readonly<Record<string, z.ZodType>>;
  /** Told nowhere but on the server itself. */
  local?: true;
  /** The channels that the section makes; `path`: where its name stands, null for the one that is called as its kind. */
  channels(section: Settings): readonly { name: string; path: readonly (string | number)[] | null }[];
  create(section: Settings, deps: NotifierDeps): Notifier[];
};
