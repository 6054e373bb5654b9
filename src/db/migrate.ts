import { fileURLToPath } from "node:url";
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import type pg from "pg";
import { LOCKS } from "./lock.ts";

const FOLDER = fileURLToPath(new URL("./migrations", import.meta.url));

/** Brings the schema up to date. Servers that start together take turns: the second finds nothing to do. */
export async function migrateSchema(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query("select pg_advisory_lock($1)", [LOCKS.migration]);
    await migrate(drizzle(client), { migrationsFolder: FOLDER, migrationsSchema: "awoooi" });
  } finally {
    // Closing the connection gives the lock back, also after an error.
    client.release(true);
  }
}
