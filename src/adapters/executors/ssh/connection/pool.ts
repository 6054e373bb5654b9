import type { Log } from "../../../../lib/log.ts";
import type { HostConfig } from "../config.ts";
import { type Connected, type Connection, type ConnectTerms, connectRoute } from "./connect.ts";

export type PoolTerms = ConnectTerms & {
  /** Seconds for which an unused connection is kept open. */
  idle_timeout: number;
  /** Concurrent commands on one host. */
  sessions: number;
};

type Lane = {
  route: readonly HostConfig[];
  open: Promise<Connected> | undefined;
  /** Number of commands that run now; `waiting` resumes those that wait for one to end. */
  busy: number;
  waiting: (() => void)[];
  idle: NodeJS.Timeout | undefined;
};

// More commands waiting for one host would not be served in time anyway.
const MAX_WAITING = 64;
// An open connection answers at once; one that takes longer counts as dead.
const PING_MS = 3_000;

/** Returns whether the server answers a request that every server knows and refuses. */
function answers({ client, alive }: Connection): Promise<boolean> {
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve(false), PING_MS);
    const told = (yes: boolean) => {
      clearTimeout(late);
      resolve(yes && alive());
    };
    try {
      client.unforwardIn("127.0.0.1", 1, () => told(true));
    } catch {
      told(false);
    }
  });
}

/** Keeps one connection per host, shared by its commands, opened on demand and closed when idle. */
export class Pool {
  readonly #lanes = new Map<string, Lane>();
  readonly #terms: PoolTerms;
  readonly #log: Log;
  #closed = false;
  #retired = false;

  constructor(routes: ReadonlyMap<string, readonly HostConfig[]>, terms: PoolTerms, log: Log) {
    for (const [name, route] of routes) {
      this.#lanes.set(name, { route, open: undefined, busy: 0, waiting: [], idle: undefined });
    }
    this.#terms = terms;
    this.#log = log;
  }

  /** Runs `work` on a connection that has just answered. Returns `error` when there is none: nothing was sent. */
  async use<T>(
    name: string,
    work: (connection: Connection) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<{ ok: true; value: T } | { ok: false; error: string }> {
    const lane = this.#lanes.get(name);
    if (lane === undefined || this.#closed) return { ok: false, error: `there is no connection to ${name}` };
    const refused = await this.#enter(name, lane, signal);
    if (refused !== null) return { ok: false, error: refused };
    try {
      const connected = await this.#connected(name, lane);
      if (!connected.ok) return connected;
      return { ok: true, value: await work(connected.connection) };
    } finally {
      this.#leave(lane);
    }
  }

  /** Takes a session slot, or waits for one. Returns null, or why there is none. */
  async #enter(name: string, lane: Lane, signal?: AbortSignal): Promise<string | null> {
    if (signal?.aborted) return "cancelled";
    if (lane.busy < this.#terms.sessions) {
      clearTimeout(lane.idle);
      lane.busy += 1;
      return null;
    }
    if (lane.waiting.length >= MAX_WAITING) return `too many commands are queued for ${name}`;
    return new Promise((resolve) => {
      const next = () => {
        signal?.removeEventListener("abort", cancel);
        resolve(null);
      };
      const cancel = () => {
        lane.waiting.splice(lane.waiting.indexOf(next), 1);
        resolve("cancelled");
      };
      lane.waiting.push(next);
      signal?.addEventListener("abort", cancel, { once: true });
    });
  }

  #leave(lane: Lane): void {
    const next = lane.waiting.shift();
    // The slot passes to the next waiting command.
    if (next !== undefined) {
      next();
      return;
    }
    lane.busy -= 1;
    if (lane.busy > 0) return;
    const idle = this.#retired ? 0 : this.#terms.idle_timeout * 1000;
    lane.idle = setTimeout(() => void this.#drop(lane), idle).unref();
  }

  async #connected(name: string, lane: Lane): Promise<Connected> {
    const before = lane.open;
    const kept = await before;
    if (kept?.ok && kept.connection.alive() && (await answers(kept.connection))) return kept;
    if (lane.open !== before && lane.open !== undefined) return lane.open;
    // The first command to find the connection dead reconnects, for all others.
    if (kept?.ok) kept.connection.close();
    const opening = connectRoute(lane.route, this.#terms);
    lane.open = opening;
    const result = await opening;
    if (result.ok) this.#log.debug({ host: name, key: result.connection.fingerprint }, "connected by SSH");
    return result;
  }

  async #drop(lane: Lane): Promise<void> {
    const open = lane.open;
    lane.open = undefined;
    const kept = await open;
    if (kept?.ok) kept.connection.close();
  }

  /** Closes idle connections now and others once unused; commands in progress may still open the ones they need. */
  retire(): void {
    this.#retired = true;
    for (const lane of this.#lanes.values()) {
      if (lane.busy > 0) continue;
      clearTimeout(lane.idle);
      void this.#drop(lane);
    }
  }

  /** Closes all connections; no new ones are opened afterwards. */
  async close(): Promise<void> {
    this.#closed = true;
    const all = [...this.#lanes.values()];
    for (const lane of all) clearTimeout(lane.idle);
    await Promise.all(all.map((lane) => this.#drop(lane)));
  }
}
