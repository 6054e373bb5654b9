import type { processes } from "../db/schema.ts";

/** A supervised process, as the configuration has it. */
export type SupervisedProcess = {
  name: string;
  /** Whether the server starts it at its own start. */
  autostart: boolean;
  watch: {
    enabled: boolean;
    /** Between two looks. */
    interval_ms: number;
    /** So many looks in a row must find it broken. */
    failures: number;
    /** Of its alert; absent: the decision says how bad it is. */
    severity?: "critical" | "high" | "warning" | "low" | undefined;
  };
  /** Equal for equal commands, environments, folders and accounts. */
  launch: string;
};

export type RunningProcess = {
  pid: number;
  started_at: string;
  suspended: boolean;
  /** It was started otherwise than is configured now. */
  changed: boolean;
};

export type ProbeAnswer = { asked: boolean; ok: boolean; message: string };

/** What runs of all configured processes, seen in one look. An error is why one could not be looked up. */
export type ProcessSurvey = {
  running: ReadonlyMap<string, RunningProcess | null | { error: string }>;
  copies: ReadonlyMap<string, readonly number[]>;
};

/** The port of what starts and stops processes. All of it throws `not_found` for one that is not configured. */
export type ProcessSupervisor = {
  processes: readonly SupervisedProcess[];
  /** What runs now; null: nothing does. */
  find(name: string): Promise<RunningProcess | null>;
  /** The same of all at once, with their copies: by one look through the processes of the machine. Never throws. */
  survey(): Promise<ProcessSurvey>;
  /** Pids that live outside of what `find` finds and were started for these names here: a start is refused meanwhile. */
  copies(): Promise<ReadonlyMap<string, readonly number[]>>;
  /** Keeps what it prints from filling the disk. Never throws for what the disk does. */
  boundLog(name: string): Promise<void>;
  /** Names its latest start, as far as is known: another one has another name. */
  latestStart(name: string): Promise<string>;
  /** What its probe answers; null: it has none. Not `asked`: for a reason of our own, which says nothing of the process. */
  probe(name: string): Promise<ProbeAnswer | null>;
  /** Starts it if it does not run. Throws `unavailable`, with the end of its log, when it does not stay up. */
  start(name: string): Promise<{ pid: number; started: boolean }>;
  /** Ends it, with its whole group, if it runs: `pid` is what ran. Throws `unavailable` when it lives on. */
  stop(name: string): Promise<{ pid: number | null }>;
};

export type ProcessRow = typeof processes.$inferSelect;
