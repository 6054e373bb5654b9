import type { processes } from "../db/schema.ts";

/** A supervised process, as configured. */
export type SupervisedProcess = {
  name: string;
  /** Whether the server starts it at its own start. */
  autostart: boolean;
  watch: {
    enabled: boolean;
    /** Milliseconds between two checks. */
    interval_ms: number;
    /** Consecutive failed checks after which it counts as down. */
    failures: number;
    /** Severity of its alert; absent: the decision sets it. */
    severity?: "critical" | "high" | "warning" | "low" | undefined;
  };
  /** Equal for equal commands, environments, folders and accounts. */
  launch: string;
};

export type RunningProcess = {
  pid: number;
  started_at: string;
  suspended: boolean;
  /** It was started with another configuration than the current one. */
  changed: boolean;
};

export type ProbeAnswer = { asked: boolean; ok: boolean; message: string };

/** What runs of all configured processes, from one survey. An error says why one could not be looked up. */
export type ProcessSurvey = {
  running: ReadonlyMap<string, RunningProcess | null | { error: string }>;
  copies: ReadonlyMap<string, readonly number[]>;
};

/** The port that starts and stops processes. Every method that takes a name throws `not_found` for one not configured. */
export type ProcessSupervisor = {
  processes: readonly SupervisedProcess[];
  /** Returns what runs now; null: nothing. */
  find(name: string): Promise<RunningProcess | null>;
  /** Looks up all processes and their copies in one pass over the machine's processes. Never throws. */
  survey(): Promise<ProcessSurvey>;
  /** Returns pids started here for these names that `find` does not cover. While there are any, a start is refused. */
  copies(): Promise<ReadonlyMap<string, readonly number[]>>;
  /** Bounds the size of its log file. Never throws for disk errors. */
  boundLog(name: string): Promise<void>;
  /** Returns a name for its latest known start; each start has another. */
  latestStart(name: string): Promise<string>;
  /**
   * Returns the answer of its probe; null: it has none. Without `asked` the probe failed on our side, which says nothing
   * about the process.
   */
  probe(name: string): Promise<ProbeAnswer | null>;
  /** Starts it if it does not run. Throws `unavailable`, with the end of its log, when it does not stay up. */
  start(name: string): Promise<{ pid: number; started: boolean }>;
  /** Stops it with its whole process group, if it runs: `pid` is what ran. Throws `unavailable` when it survives. */
  stop(name: string): Promise<{ pid: number | null }>;
};

export type ProcessRow = typeof processes.$inferSelect;
