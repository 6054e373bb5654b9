import type pg from "pg";
import { type Connection, createDb, createPool, type Db } from "../db/client.ts";
import { defaultDataDir, startEmbeddedPostgres } from "../db/embedded.ts";
import { holdServerLock, type ServerLock } from "../db/lock.ts";
import { migrateSchema } from "../db/migrate.ts";
import { createWorkflowPool } from "../db/workflow-pool.ts";
import { AwoooiError, messageOf } from "../lib/error.ts";
import type { Log } from "../lib/log.ts";
import type { Config } from "./config-schema.ts";

export type Database = {
  db: Db;
  pool: pg.Pool;
  /** The workflow engine's own: a burst of requests must not starve it, nor it them. */
  workflowPool: pg.Pool;
  data_dir: string;
  close(): Promise<void>;
};

type Server = { connection: Connection; stop: () => Promise<void>; leave: () => void };

async function openServer(config: Config, data_dir: string, log: Log): Promise<Server> {
  const { url } = config.database;
  if (url !== undefined) return { connection: { url }, stop: async () => {}, leave: () => {} };
  const embedded = await startEmbeddedPostgres({ dataDir: data_dir, log });
  return { connection: embedded.connection, stop: () => embedded.stop(), leave: () => embedded.abandon() };
}

async function lockServer(server: Server, log: Log, onLost: () => void): Promise<ServerLock> {
  try {
    return await holdServerLock(server.connection, log, onLost);
  } catch (error) {
    if (error instanceof AwoooiError) {
      // The database is the other server's: it must not go down with us.
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
 * Opens the database, embedded or the operator's own, as its one server, with its schema up to date.
 * `onLost` is called if another server takes it over while it was away.
 */
export async function openDatabase(config: Config, log: Log, onLost: () => void): Promise<Database> {
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
  try {
    await migrateSchema(pool);
  } catch (error) {
    await close();
    throw new AwoooiError("unavailable", `The schema cannot be brought up to date: ${messageOf(error)}.`, {
      cause: error,
    });
  }
  return { db: createDb(pool), pool, workflowPool, data_dir, close };
}
