import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DBOS } from "@dbos-inc/dbos-sdk";
import type { TestProject } from "vitest/node";
import { createPool } from "../../src/db/client.ts";
import { startEmbeddedPostgres } from "../../src/db/embedded.ts";
import { migrateSchema } from "../../src/db/migrate.ts";
import { silentLog } from "../../src/lib/log.ts";
import { postgresql15 } from "./prepare.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** URL of the test server; `test/support/database.ts` makes databases on it. */
    databaseUrl: string;
  }
}

/** The name of the Vitest project that runs on it. */
export const POSTGRESQL_15 = "postgresql-15";

/** The database that every test file's own is copied from. */
export const TEMPLATE = "awoooi_template";

type Server = { url: string; stop(): Promise<void> };

/** The server that the project is named after: the embedded PostgreSQL 18, Debian's 15, or the given one. */
async function startServer(project: string): Promise<Server> {
  const given = process.env.AWOOOI_TEST_DATABASE_URL;
  if (given !== undefined) return { url: given, stop: async () => {} };
  const dir = project === POSTGRESQL_15 ? postgresql15() : undefined;
  if (project === POSTGRESQL_15 && dir === undefined)
    throw new Error("there is no PostgreSQL 15: run `node test/support/prepare.ts`");
  const folder = await mkdtemp(join(tmpdir(), "awoooi-test-"));
  await chmod(folder, 0o755);
  const options = { dataDir: join(folder, "data"), log: silentLog };
  const embedded = await startEmbeddedPostgres(
    dir === undefined ? options : { ...options, binaries: { dir } },
  );
  return {
    url: embedded.url,
    async stop() {
      await embedded.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** One real PostgreSQL for the whole run of a project (`AWOOOI_TEST_DATABASE_URL` for one of yours). */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startServer(project.name);
  const admin = createPool({ url: server.url }, silentLog);
  await admin.query(`drop database if exists ${TEMPLATE}`);
  await admin.query(`create database ${TEMPLATE}`);
  const { rows } = await admin.query<{ server_version: string }>("show server_version");
  console.log(`${project.name}: PostgreSQL ${rows[0]?.server_version}`);
  await admin.end();
  const pool = createPool({ url: withDatabase(server.url, TEMPLATE) }, silentLog);
  await migrateSchema(pool);
  DBOS.setConfig({ name: "awoooi", systemDatabasePool: pool, logLevel: "error", applicationVersion: "1" });
  await DBOS.launch();
  await DBOS.shutdown({ deregister: true });
  await pool.end();
  project.provide("databaseUrl", server.url);
  return () => server.stop();
}

/** The same server's URL with another database. */
export function withDatabase(url: string, name: string): string {
  return url.replace(/^([a-z]+:\/\/[^/]*\/)[^?]*/, `$1${name}`);
}
