import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DBOS } from "@dbos-inc/dbos-sdk";
import type { TestProject } from "vitest/node";
import { createPool } from "../../src/db/client.ts";
import { startEmbeddedPostgres } from "../../src/db/embedded.ts";
import { migrateSchema } from "../../src/db/migrate.ts";
import { silentLog } from "../../src/lib/log.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** URL of the test server; `test/support/database.ts` makes databases on it. */
    databaseUrl: string;
  }
}

/** The database that every test file's own is copied from. */
export const TEMPLATE = "awoooi_template";

/** One real PostgreSQL for the whole run (`AWOOOI_TEST_DATABASE_URL` for another than the embedded one). */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.AWOOOI_TEST_DATABASE_URL;
  const folder = await mkdtemp(join(tmpdir(), "awoooi-test-"));
  await chmod(folder, 0o755);
  const embedded =
    given === undefined
      ? await startEmbeddedPostgres({ dataDir: join(folder, "data"), log: silentLog })
      : null;
  const url = given ?? (embedded?.url as string);
  const admin = createPool({ url }, silentLog);
  await admin.query(`drop database if exists ${TEMPLATE}`);
  await admin.query(`create database ${TEMPLATE}`);
  await admin.end();
  const pool = createPool({ url: withDatabase(url, TEMPLATE) }, silentLog);
  await migrateSchema(pool);
  DBOS.setConfig({ name: "awoooi", systemDatabasePool: pool, logLevel: "error", applicationVersion: "1" });
  await DBOS.launch();
  await DBOS.shutdown({ deregister: true });
  await pool.end();
  project.provide("databaseUrl", url);
  return async () => {
    await embedded?.stop();
    await rm(folder, { recursive: true, force: true });
  };
}

/** The same server's URL with another database. */
export function withDatabase(url: string, name: string): string {
  return url.replace(/^([a-z]+:\/\/[^/]*\/)[^?]*/, `$1${name}`);
}
