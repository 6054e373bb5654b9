import { drizzle, type NodePgDatabase } from "drizzle-orm/node-postgres";
import pg from "pg";
import type { Log } from "../lib/log.ts";
import { isUnavailable } from "./failure.ts";

/** A pool's database or an open transaction: verbs take either. */
export type Db = Omit<NodePgDatabase, "transaction"> & {
  /**
   * Runs `work` between `begin` and `commit` on a connection of its own, and rolls back what it did when any
   * of the three fails. Rejects with the first error. Use `transaction` of transaction.ts, which calls it.
   */
  transaction<T>(work: (tx: Db) => Promise<T>): Promise<T>;
};

/** Where the database is: a URL, or the folder of a Unix socket. */
export type Connection = { url: string } | { host: string; user: string; database: string; password: string };

/** What bounds the pool. Without a query timeout a stopped (not dead) server would hang every caller. */
export type PoolLimits = { max: number; query_timeout_ms: number; connect_timeout_ms: number };

export const DEFAULT_LIMITS: PoolLimits = { max: 10, query_timeout_ms: 5_000, connect_timeout_ms: 2_000 };

/** A pool that survives the loss of its connections: they are reported, and opened again on use. */
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
  // The pool listens to idle connections only. Lost in use, one rejects its queries and also emits what
  // nobody would hear: that ends the process.
  pool.on("connect", (client) => {
    client.on("error", (error) =>
      log.debug({ error: error.message }, "a database connection in use was lost"),
    );
  });
  // A query that timed out may leave its transaction open: such a connection must not serve anyone else,
  // whose commit would also commit what its owner was told had failed.
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

// Drizzle's own `transaction` never returns a connection whose `begin` fails, returns one whose `rollback`
// fails as if it could be used, and rejects with the error of the rollback instead of the first one.
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
    // Without its connection the server rolls back by itself.
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
