import { z } from "zod";
import type { SignalEntry, SignalStream, StreamFigures, StreamState } from "../../../intake/index.ts";
import { duration } from "../../../lib/duration.ts";
import { messageOf } from "../../../lib/error.ts";
import type { Log } from "../../../lib/log.ts";
import { example, needsRestart, secret } from "../../../lib/setting.ts";
import { withTimeout } from "../../../lib/wait.ts";
import { redisLibrary } from "./library.ts";
import { ACK, APPEND, DELETE_IDLE_CONSUMERS, TRIM } from "./scripts.ts";
import { parseInfo, streamStateOf, unreachable } from "./stream-state.ts";

const settings = z.strictObject({
  url: example(
    secret(z.string().regex(/^rediss?:\/\//, "must begin with redis:// or rediss://"), "password").optional(),
    "redis://user:password@host:6379/0",
  ).describe("rediss:// for TLS; without it signals go into the journal"),
  stream: z
    .string()
    .min(1)
    .max(200)
    .default("awoooi:signals")
    .describe("key of the stream; installations that share a Redis need different ones"),
  stream_cap: z
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .default(10_000)
    .describe(
      "most entries that wait to be copied into the database; above it the answer is 503 with Retry-After",
    ),
  claim_after: duration
    .prefault("10s")
    .describe("an entry that another consumer has not acknowledged for this long is taken over"),
});
type Settings = z.output<typeof settings>;
type RedisStreamConfig = Settings & { url: string };

type Deps = {
  /** This process's consumer name, unique among all readers of the stream, past ones included. */
  consumer: string;
  log: Log;
};

const GROUP = "awoooi";
// Entries per read: as many as one insert into the journal takes.
const COUNT = 200;
const BLOCK_MS = 500;
/** Seconds after which a call to Redis times out. */
const PATIENCE = 2;
const SILENCE_MS = 5_000;
const RECONNECT_MS = 1_000;
const FORGOTTEN_MS = 3_600_000;

const NOTHING: StreamFigures = { entries: 0, pending: 0, oldest: null, claimed: 0 };

function connection({ url }: RedisStreamConfig) {
  return redisLibrary().createClient({
    url,
    // Fail at once while disconnected, so that the caller writes the signal into the journal instead.
    disableOfflineQueue: true,
    pingInterval: RECONNECT_MS,
    maintNotifications: "disabled",
    socket: {
      connectTimeout: PATIENCE * 1000,
      socketTimeout: SILENCE_MS,
      reconnectStrategy: (retries) => Math.min(50 * 2 ** retries, RECONNECT_MS),
    },
  });
}

type Connection = ReturnType<typeof connection>;

/** Returns values as buffers, because the bytes of a body need not be valid text. */
const rawReplies = () => ({ [redisLibrary().RESP_TYPES.BLOB_STRING]: Buffer });

/** A message as node-redis returns it, with buffers in place of strings. */
type Message = { id: unknown; message: object } | null;

function entriesOf(messages: readonly unknown[]): SignalEntry[] {
  return (messages as readonly Message[]).flatMap((one) =>
    // Redis 6 returns null for an entry that was deleted while it was pending.
    one === null
      ? []
      : { id: String(one.id), fields: new Map(Object.entries(one.message) as [string, Buffer][]) },
  );
}

/** Signals on a Redis Stream. One connection writes and inspects the stream, the other blocks on reads. */
class RedisStream implements SignalStream {
  readonly id = "redis";
  readonly #config: RedisStreamConfig;
  readonly #consumer: string;
  readonly #log: Log;
  #writer: Connection;
  #reader: Connection;
  #state: StreamState = { up: false, durable: false, detail: "is not connected yet" };
  #figures = NOTHING;
  #closed = false;

  constructor(config: RedisStreamConfig, deps: Deps) {
    this.#config = config;
    this.#consumer = deps.consumer;
    this.#log = deps.log;
    this.#writer = this.#opened(connection(config));
    this.#reader = this.#opened(connection(config));
  }

  state(): StreamState {
    return this.#writer.isReady || !this.#state.up ? this.#state : unreachable("disconnected");
  }

  figures(): StreamFigures {
    return this.#figures;
  }

  async append(fields: Record<string, string | Buffer>): Promise<string | null> {
    const args = [String(this.#config.stream_cap), ...Object.entries(fields).flat()];
    const id = await this.#write(APPEND, args);
    return id === null ? null : String(id);
  }

  async full(): Promise<boolean> {
    const length = await this.#answer(this.#writer.xLen(this.#config.stream));
    return length >= this.#config.stream_cap;
  }

  async read(): Promise<SignalEntry[]> {
    const { stream } = this.#config;
    const options = { COUNT, BLOCK: BLOCK_MS };
    const streams = await this.#inGroup(() =>
      this.#reader
        .withTypeMapping(rawReplies())
        .xReadGroup(GROUP, this.#consumer, { key: stream, id: ">" }, options),
    );
    const [only] = (streams ?? []) as unknown as { messages: unknown[] }[];
    return entriesOf(only?.messages ?? []);
  }

  async claim(): Promise<SignalEntry[]> {
    const { stream, claim_after } = this.#config;
    const idle = Math.max(1, Math.round(claim_after * 1000));
    const reply = await this.#inGroup(() =>
      this.#reader
        .withTypeMapping(rawReplies())
        .xAutoClaim(stream, GROUP, this.#consumer, idle, "0-0", { COUNT }),
    );
    const entries = entriesOf(reply?.messages ?? []);
    this.#figures = { ...this.#figures, claimed: this.#figures.claimed + entries.length };
    return entries;
  }

  async ack(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.#write(ACK, [GROUP, ...ids]);
  }

  async check(): Promise<void> {
    if (!this.#writer.isReady) return;
    try {
      await this.#ensureGroup();
      const info = parseInfo(await this.#answer(this.#writer.info()));
      // Every version accepts this pattern; some hosted Redis services forbid CONFIG, which gives null.
      const settings = await this.#answer(this.#writer.configGet("*append*")).catch(() => null);
      await this.#tidy();
      await this.#measure();
      this.#become(streamStateOf({ info, settings }));
    } catch (error) {
      this.#became(error);
    }
    // A failover may have made another server the master: reconnecting resolves the host name again.
    if (this.#state.detail === unreachable("READONLY").detail) this.#reopen();
  }

  async close(): Promise<void> {
    await this.#write(DELETE_IDLE_CONSUMERS, [GROUP, String(FORGOTTEN_MS), this.#consumer]).catch(() => {});
    this.#closed = true;
    this.#writer.destroy();
    this.#reader.destroy();
  }

  /** Starts connecting a client, which retries until it is closed, and returns it. */
  #opened(client: Connection): Connection {
    client.on("error", (error: unknown) => this.#became(error));
    client.on("ready", () => void this.check());
    // Rejects only when the client is closed; each failed attempt is reported by the `error` event.
    client.connect().catch(() => {});
    return client;
  }

  #reopen(): void {
    if (this.#closed) return;
    this.#writer.destroy();
    this.#reader.destroy();
    this.#writer = this.#opened(connection(this.#config));
    this.#reader = this.#opened(connection(this.#config));
  }

  #answer<T>(call: Promise<T>): Promise<T> {
    return withTimeout(PATIENCE, "Redis", call);
  }

  async #write(script: string, args: (string | Buffer)[]): Promise<unknown> {
    try {
      return await this.#answer(this.#writer.eval(script, { keys: [this.#config.stream], arguments: args }));
    } catch (error) {
      this.#became(error);
      throw error;
    }
  }

  /** Runs a call that needs the consumer group. Recreates the group and returns null if Redis was emptied. */
  async #inGroup<T>(call: () => Promise<T>): Promise<T | null> {
    try {
      return await call();
    } catch (error) {
      if (!/^(NOGROUP|UNBLOCKED)/.test(messageOf(error))) throw error;
      await this.#ensureGroup();
      return null;
    }
  }

  /** Creates the consumer group if it is missing. Fails, too, when Redis takes no writes. */
  async #ensureGroup(): Promise<void> {
    const { stream } = this.#config;
    const made = this.#writer.xGroupCreate(stream, GROUP, "0", { MKSTREAM: true });
    await this.#answer(made).then(
      () => this.#log.info({ stream, group: GROUP }, "created the consumer group of the signal stream"),
      (error: unknown) => {
        if (!messageOf(error).startsWith("BUSYGROUP")) throw error;
      },
    );
  }

  /** Deletes entries that every group has acknowledged, and consumers that have been idle for an hour. */
  async #tidy(): Promise<void> {
    await this.#write(TRIM, []);
    await this.#write(DELETE_IDLE_CONSUMERS, [GROUP, String(FORGOTTEN_MS), ""]);
  }

  async #measure(): Promise<void> {
    const { stream } = this.#config;
    const entries = await this.#answer(this.#writer.xLen(stream));
    const { pending } = await this.#answer(this.#writer.xPending(stream, GROUP));
    const [first] = (await this.#answer(this.#writer.xRange(stream, "-", "+", { COUNT: 1 }))) ?? [];
    const oldest = first === undefined ? null : Number(first.id.split("-")[0]) / 1000;
    this.#figures = { ...this.#figures, entries, pending, oldest };
  }

  #became(error: unknown): void {
    if (!this.#closed) this.#become(unreachable(error), messageOf(error));
  }

  /** Sets the state and logs it only when it changed, so that an outage of an hour is one line. */
  #become(state: StreamState, error?: string): void {
    const before = this.#state;
    this.#state = state;
    if (before.up === state.up && before.detail === state.detail) return;
    const { durable, detail } = state;
    if (state.up) this.#log.info({ durable }, `Redis ${detail}`);
    else this.#log.error({ error }, `Redis ${detail}: signals go into the journal meanwhile`);
  }
}

/** A Redis Stream, of Redis 6.2 or newer. */
export const redisStream = {
  id: "redis",
  settings: {
    path: "redis",
    schema: needsRestart(settings.prefault({})).describe("Redis with a stream that takes the signals"),
    environment: { REDIS_URL: "url" },
  },
  streamName: ({ stream }: Settings) => stream,
  create: ({ url, ...more }: Settings, deps: Deps): SignalStream | null =>
    url === undefined ? null : new RedisStream({ url, ...more }, deps),
};
