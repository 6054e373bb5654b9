import { drizzle, type NodePgDatabase } from "drizzle-orm/node-postgres";
import pg from "pg";
import type { Log } from "../lib/log.ts";
import { isUnavailable } from "./failure.ts";

/** A database behind a connection pool, or an open transaction; verbs accept either. */
export type Db = Omit<NodePgDatabase, "transaction"> & {
  /**
   * Runs `work` between `begin` and `commit` on a connection of its own, and rolls back when any of the
   * three fails. Rejects with the first error. Use `transaction` of transaction.ts, which calls it.
   */
  transaction<T>(work: (tx: Db) => Promise<T>): Promise<T>;
};

/** How to reach the database: a URL, or the folder of a Unix socket as `host`. */
export type Connection = { url: string } | { host: string; user: string; database: string; password: string };

/** Limits of a pool. Without a query timeout a PostgreSQL that is suspended, not dead, would hang every caller. */
export type PoolLimits = { max: number; query_timeout_ms: number; connect_timeout_ms: number };

export const DEFAULT_LIMITS: PoolLimits = { max: 10, query_timeout_ms: 5_000, connect_timeout_ms: 2_000 };

/** Returns a connection pool that survives lost connections: it logs them, and opens new ones on use. */
export function createPool(
  connection: Connection,
  log: Log,
  limits: PoolLimits = DEFAULT_LIMITS,
  applicationName = "awoooi",
  Client: typeof pg.Client = pg.Client,
): pg.Pool {
  const pool = new pg.Pool({
    ...("url" in connection ? { connectionString: connection.url } : connection),
    max: limits.max,
    query_timeout: limits.query_timeout_ms,
    connectionTimeoutMillis: limits.connect_timeout_ms,
    application_name: applicationName,
    allowExitOnIdle: false,
    Client,
  });
  pool.on("error", (error) => log.warn({ error: error.message }, "a database connection was lost"));
  // The pool handles `error` events of idle connections only. A connection lost in use rejects its queries
  // and also emits `error`, which would end the process without a listener.
  pool.on("connect", (client) => {
    client.on("error", (error) =>
      log.debug({ error: error.message }, "a database connection in use was lost"),
    );
  });
  // A query that timed out may leave its transaction open. The connection must not be reused: the next
  // user's commit would also commit work that was reported as failed.
  pool.on("release", (_error, client) => {
    const status = (
      client as pg.PoolClient & { getTransactionStatus(): string | null }
    ).getTransactionStatus();
    if (status !== "I") void (client as unknown as pg.Client).end().catch(() => {});
  });
  return pool;
}

export function createDb(pool: pg.Pool): Db {
  return Object.assign(drizzle(pool), {
    transaction: <T>(work: (tx: Db) => Promise<T>) => inTransaction(pool, work),
  });
}

// Drizzle's own `transaction` leaks the connection when `begin` fails, returns it to the pool as usable when
// `rollback` fails, and then rejects with the error of the rollback instead of the first one.
async function inTransaction<T>(pool: pg.Pool, work: (tx: Db) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  const nested = () => Promise.reject(new Error("a transaction is already open"));
  let broken = false;
  try {
    await client.query("begin");
    const result = await work(Object.assign(drizzle(client), { transaction: nested }));
    await client.query("commit");
    return result;
  } catch (error) {
    // PostgreSQL rolls back by itself when the connection is closed.
    broken = isUnavailable(error);
    if (!broken) {
      await client.query("rollback").catch(() => {
        broken = true;
      });
    }
    throw error;
  } finally {
    client.release(broken);
  }
}
