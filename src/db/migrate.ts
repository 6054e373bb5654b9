import { fileURLToPath } from "node:url";
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import type pg from "pg";
import { LOCKS } from "./lock.ts";
import { renameOldIncidents } from "./old-values.ts";

/** The folder of the migrations. */
export const MIGRATIONS = fileURLToPath(new URL("./migrations", import.meta.url));

/** Applies the missing migrations. An advisory lock serialises servers that start together. */
export async function migrateSchema(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query("select pg_advisory_lock($1)", [LOCKS.migration]);
    // In schema `public`: a separate schema named like the role would come first in the search path.
    await migrate(drizzle(client), {
      migrationsFolder: MIGRATIONS,
      migrationsSchema: "public",
      migrationsTable: "schema_migrations",
    });
    await renameOldIncidents(client);
  } finally {
    // Closing the connection releases the lock, also after an error.
    client.release(true);
  }
}
