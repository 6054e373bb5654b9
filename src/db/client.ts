import { drizzle, type NodePgDatabase } from "drizzle-orm/node-postgres";
import pg from "pg";
import type { Log } from "../lib/log.ts";
import * as schema from "./schema.ts";

/** A pool's database or an open transaction: verbs take either. */
export type Db = NodePgDatabase<typeof schema>;

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
  return drizzle(pool, { schema });
}
