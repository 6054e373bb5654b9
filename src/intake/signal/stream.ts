/** An entry as the stream gives it: its id there, and its fields as they were appended. */
export type SignalEntry = { id: string; fields: ReadonlyMap<string, Buffer> };

/** What the stream is like, as it was last looked at. `detail` is for anyone to read. */
export type StreamState = {
  up: boolean;
  /** What it takes is on disk before it says so: it may be acknowledged by that alone. */
  durable: boolean;
  detail: string;
};

export type StreamFigures = {
  /** Entries that are not acknowledged, and of these those that a consumer has. */
  entries: number;
  pending: number;
  /** Seconds of Unix time at which the oldest entry came; null when there is none. */
  oldest: number | null;
  /** Entries taken over from other consumers, since the start. */
  claimed: number;
};

/**
 * The port of a stream between those who take signals in and the worker that journals them. Each entry is
 * given to one of the consumers, again and again until it is acknowledged. Its calls reject while it is away.
 */
export type SignalStream = {
  state(): StreamState;
  figures(): StreamFigures;
  /** Appends an entry and returns its id; null when the stream holds as many unread ones as it may. */
  append(fields: Record<string, string | Buffer>): Promise<string | null>;
  /** Whether it would refuse an entry now. */
  full(): Promise<boolean>;
  /** Entries that no consumer has had, waiting a moment for one. */
  read(): Promise<SignalEntry[]>;
  /** Entries that another consumer has had for too long, or this one. */
  claim(): Promise<SignalEntry[]>;
  ack(ids: readonly string[]): Promise<void>;
  /** Looks at what it is like. Never rejects: what is wrong becomes its state. */
  check(): Promise<void>;
  close(): Promise<void>;
};
