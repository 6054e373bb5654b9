import { AwoooiError, messageOf } from "../../lib/error.ts";
import type { Log } from "../../lib/log.ts";
import { wait } from "../../lib/wait.ts";
import { ROOT_DATA_DIR } from "./account.ts";
import { type BinariesOption, type Cluster, openCluster } from "./cluster.ts";
import { boundLog, logTail } from "./log.ts";
import { type Postmaster, terminate } from "./process.ts";
import { connectionOf, type EmbeddedConnection, ensurePostmaster } from "./start.ts";

export type { EmbeddedConnection } from "./start.ts";

export type EmbeddedPostgres = {
  /** Options for `new pg.Pool(…)`. They stay the same when the server is restarted. */
  readonly connection: EmbeddedConnection;
  /** A URL for psql and other clients. Contains the password. */
  readonly url: string;
  /** The server's main process; during a restart the pid of the one that has died. */
  readonly pid: number;
  /** Stops the server and waits until it has ended. Only the owner of the data directory may call it. */
  stop(): Promise<void>;
  /** Stops watching the server and leaves it running. */
  abandon(): void;
};

const FIRST_PAUSE = 200;
const LONGEST_PAUSE = 5_000;
/** A server that dies after running this long, in ms, is a new failure: the backoff starts again, and it is logged. */
const STABLE = 30_000;
/** How long a first start is retried, in ms, for temporary causes: orphans of a killed server that finish a query. */
const START_PATIENCE = 30_000;

/** Returns the default data directory; for root one that PostgreSQL can reach, as it then runs as another user. */
export function defaultDataDir(): string {
  return process.getuid?.() === 0 ? ROOT_DATA_DIR : "./data";
}

/**
 * Starts the PostgreSQL of `dataDir`, creating the cluster if there is none, or takes over a server that a
 * killed process left running. It is restarted whenever it dies, until `stop()`. Concurrent calls get the
 * same server. Throws `invalid`, `conflict` or `unavailable` with a sentence.
 */
export async function startEmbeddedPostgres(options: {
  dataDir: string;
  log: Log;
  binaries?: BinariesOption;
}): Promise<EmbeddedPostgres> {
  const { log } = options;
  try {
    const cluster = await openCluster(options.dataDir, options.binaries);
    const postmaster = await firstPostmaster(cluster, log);
    const fields = { pid: postmaster.pid, data_dir: cluster.dir };
    log.info(fields, postmaster.takenOver ? "took over the running PostgreSQL" : "started PostgreSQL");
    return new Supervisor(cluster, postmaster, log);
  } catch (error) {
    if (error instanceof AwoooiError) throw error;
    throw new AwoooiError(
      "unavailable",
      `The database in ${options.dataDir} cannot be started: ${messageOf(error)}.`,
      { cause: error },
    );
  }
}

async function firstPostmaster(cluster: Cluster, log: Log): Promise<Postmaster> {
  const begun = performance.now();
  for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    try {
      return await ensurePostmaster(cluster, log);
    } catch (error) {
      const mayPass = error instanceof AwoooiError && error.retryAfter !== undefined;
      if (!mayPass || performance.now() - begun > START_PATIENCE) throw error;
      log.warn({ error: error.message }, "PostgreSQL cannot start yet");
      await wait(pause);
    }
  }
}

class Supervisor implements EmbeddedPostgres {
  readonly connection: EmbeddedConnection;
  readonly url: string;
  readonly #cluster: Cluster;
  readonly #log: Log;
  readonly #finished: Promise<void>;
  readonly #end = new AbortController();
  #abandoned = false;
  #postmaster: Postmaster;
  #since = performance.now();
  #pause = 0;
  readonly #told = new Set<string>();

  constructor(cluster: Cluster, postmaster: Postmaster, log: Log) {
    this.#cluster = cluster;
    this.#postmaster = postmaster;
    this.#log = log;
    this.connection = connectionOf(cluster);
    const { user, password, database, host, port } = this.connection;
    this.url = `postgresql://${user}:${password}@/${database}?host=${encodeURIComponent(host)}&port=${port}`;
    this.#finished = this.#supervise();
  }

  get pid(): number {
    return this.#postmaster.pid;
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#finished;
  }

  abandon(): void {
    this.#abandoned = true;
    this.#end.abort();
  }

  async #supervise(): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      const how = await this.#postmaster.ended(60_000, signal);
      if (how !== undefined && !signal.aborted) await this.#restart(how);
      // May fail on a full disk.
      await boundLog(this.#cluster.logFile).catch(() => {});
    }
    if (this.#abandoned) return;
    await terminate(this.#postmaster, this.#log);
    this.#log.info({ pid: this.pid }, "stopped PostgreSQL");
  }

  async #restart(how: string): Promise<void> {
    const { signal } = this.#end;
    if (performance.now() - this.#since > STABLE) {
      this.#pause = 0;
      this.#told.clear();
    }
    await this.#tell("error", `PostgreSQL has died (${how}) and is restarted`);
    while (!signal.aborted) {
      this.#pause = Math.min(Math.max(this.#pause * 2, FIRST_PAUSE), LONGEST_PAUSE);
      await wait(this.#pause, signal);
      if (signal.aborted) return;
      try {
        this.#postmaster = await ensurePostmaster(this.#cluster, this.#log, signal);
        this.#since = performance.now();
        if (!signal.aborted) await this.#tell("info", "PostgreSQL is back");
        return;
      } catch (error) {
        await this.#tell("error", messageOf(error));
      }
    }
  }

  // Logs a text once per failure, and at level debug after that: a full disk fails the same way every few seconds.
  async #tell(level: "info" | "error", text: string): Promise<void> {
    const { pid } = this;
    const key = text.replace(/\d+/g, "");
    if (this.#told.has(key)) return this.#log.debug({ pid }, text);
    this.#told.add(key);
    if (level === "info") return this.#log.info({ pid }, text);
    this.#log.error({ pid, log_tail: await logTail(this.#cluster.logFile) }, text);
  }
}
