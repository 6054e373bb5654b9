/** An entry as the stream gives it: its id there, and its fields as they were appended. */
export type SignalEntry = { id: string; fields: ReadonlyMap<string, Buffer> };

/** The state of the stream at its last check. `detail` may be shown to anyone. */
export type StreamState = {
  up: boolean;
  /** Whether the stream confirms an entry only once it is on disk, so that the call may be acknowledged without the journal. */
  durable: boolean;
  detail: string;
};

export type StreamFigures = {
  /** Entries that are not acknowledged, and how many of them (`pending`) a consumer has been given. */
  entries: number;
  pending: number;
  /** Seconds of Unix time at which the oldest entry came; null when there is none. */
  oldest: number | null;
  /** Entries claimed from other consumers since the start of the process. */
  claimed: number;
};

/**
 * The port of a stream between the processes that accept signals and the worker that journals them. Each entry is delivered to
 * one of the consumers, again and again until it is acknowledged. Calls reject while the stream is unavailable.
 */
export type SignalStream = {
  /** The name of its kind in the health report and in metrics, such as `redis`. */
  readonly id: string;
  state(): StreamState;
  figures(): StreamFigures;
  /** Appends an entry and returns its id; null when the stream holds as many unread entries as it may. */
  append(fields: Record<string, string | Buffer>): Promise<string | null>;
  /** Returns whether it would refuse an entry now. */
  full(): Promise<boolean>;
  /** Returns entries that no consumer has been given yet; waits a moment for one. */
  read(): Promise<SignalEntry[]>;
  /** Returns entries that were delivered too long ago to another consumer, or to this one, without being acknowledged. */
  claim(): Promise<SignalEntry[]>;
  ack(ids: readonly string[]): Promise<void>;
  /** Checks the stream and updates its state. Never rejects: a failure becomes the state. */
  check(): Promise<void>;
  close(): Promise<void>;
};
