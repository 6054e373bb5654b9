import type pg from "pg";
import { type Connection, createDb, createPool, type Db } from "../db/client.ts";
import { defaultDataDir, startEmbeddedPostgres } from "../db/embedded/server.ts";
import { beginEpoch } from "../db/epoch.ts";
import { holdServerLock, type ServerLock } from "../db/lock.ts";
import { migrateSchema } from "../db/migrate.ts";
import { createWorkflowPool } from "../db/workflow-pool.ts";
import { AwoooiError, messageOf } from "../lib/error.ts";
import type { Log } from "../lib/log.ts";
import type { Config } from "./config/schema.ts";

export type Database = {
  connection: Connection;
  db: Db;
  pool: pg.Pool;
  /** The workflow engine's own pool, so that neither it nor a burst of requests can starve the other. */
  workflowPool: pg.Pool;
  data_dir: string;
  /** Whether it is the embedded PostgreSQL in `data_dir`. */
  embedded: boolean;
  /** Fencing token: a server that takes over this database has a higher one. */
  epoch: number;
  close(): Promise<void>;
};

export type Server = { connection: Connection; stop: () => Promise<void>; leave: () => void };

/** Starts or takes over the embedded PostgreSQL, or returns the connection to the operator's own. */
export async function openServer(config: Config, data_dir: string, log: Log): Promise<Server> {
  const { url } = config.database;
  if (url !== undefined) return { connection: { url }, stop: async () => {}, leave: () => {} };
  const embedded = await startEmbeddedPostgres({ dataDir: data_dir, log });
  return { connection: embedded.connection, stop: () => embedded.stop(), leave: () => embedded.abandon() };
}

/** Takes the server lock of the database. Throws `conflict`, with the pid of the process that holds it, or `unavailable`. */
export async function lockServer(server: Server, log: Log, onLost: () => void): Promise<ServerLock> {
  try {
    return await holdServerLock(server.connection, log, onLost);
  } catch (error) {
    if (error instanceof AwoooiError) {
      // Another server uses this PostgreSQL: leave it running.
      server.leave();
      throw error;
    }
    await server.stop();
    throw new AwoooiError("unavailable", `The database cannot be reached: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}

/**
 * Opens the database, embedded or the operator's own, takes the server lock and migrates the schema. `onLost`
 * is called if another server takes the lock while the database was unreachable. `inspect` runs before
 * anything is changed; if it throws, the database stays as it is.
 */
export async function openDatabase(
  config: Config,
  log: Log,
  onLost: () => void,
  inspect: (connection: Connection) => Promise<void> = async () => {},
): Promise<Database> {
  const data_dir = config.data_dir ?? defaultDataDir();
  const server = await openServer(config, data_dir, log);
  const lock = await lockServer(server, log, onLost);
  const query_timeout_ms = config.database.query_timeout * 1000;
  const pool = createPool(server.connection, log, { max: 10, query_timeout_ms, connect_timeout_ms: 2_000 });
  const workflowPool = createWorkflowPool(server.connection, log);
  const close = async () => {
    await Promise.allSettled([pool.end(), workflowPool.end()]);
    await lock.release();
    await server.stop();
  };
  const db = createDb(pool);
  const embedded = config.database.url === undefined;
  const { connection } = server;
  try {
    await inspect(server.connection);
    await migrateSchema(pool);
    const epoch = await beginEpoch(db);
    return { connection, db, pool, workflowPool, data_dir, embedded, epoch, close };
  } catch (error) {
    await close();
    if (error instanceof AwoooiError) throw error;
    throw new AwoooiError("unavailable", `The schema cannot be brought up to date: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}
