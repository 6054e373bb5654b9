import { appendFile, chmod, mkdtemp, readdir, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { createPool } from "../../src/db/client.ts";
import { startEmbeddedPostgres } from "../../src/db/embedded/server.ts";
import { migrateSchema } from "../../src/db/migrate.ts";
import { silentLog } from "../../src/lib/log.ts";
import { startWorkflows, stopWorkflows } from "../../src/pipeline/index.ts";
import { clearFolder } from "./folder.ts";
import { postgresql15 } from "./prepare.ts";
import { keepStatements, prepareStatements, WATCH_STATEMENTS } from "./statements.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The test server; `test/support/database.ts` makes databases on it. */
    server: { url: string; counts: boolean };
  }
}

/** The name of the Vitest project that runs on it. */
export const POSTGRESQL_15 = "postgresql-15";

/** The database that every test file's own is copied from. */
export const TEMPLATE = "awoooi_template";

type Server = {
  url: string;
  /** Whether it counts the statements that it runs. */
  counts: boolean;
  stop(): Promise<void>;
};

const MEMORY = "/dev/shm";
const GIBIBYTE = 2 ** 30;

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/**
 * Ends the servers of runs that were killed, and gives back the room that their data takes, as that of the clusters of
 * workers that have ended.
 */
async function clearAbandoned(): Promise<void> {
  for (const folder of [MEMORY, tmpdir()])
    for (const name of await readdir(folder).catch(() => [])) {
      const [, pid] = /^awoooi-(?:test|cluster)-(\d+)-/.exec(name) ?? [];
      if (pid !== undefined && !isAlive(Number(pid))) await clearFolder(join(folder, name));
    }
}

/**
 * A folder for the data of the run's server: in memory where there is room, since nothing of it outlives the
 * run and each file's database is made and dropped there. Tests of durability start servers of their own on disk.
 */
async function dataFolder(): Promise<string> {
  await clearAbandoned();
  const memory = await statfs(MEMORY).catch(() => null);
  const roomy = memory !== null && memory.bavail * memory.bsize > 2 * GIBIBYTE;
  const folder = await mkdtemp(join(roomy ? MEMORY : tmpdir(), `awoooi-test-${process.pid}-`));
  await chmod(folder, 0o755);
  return folder;
}

/** The server that the project is named after: the embedded PostgreSQL 18, Debian's 15, or the given one. */
async function startServer(project: string): Promise<Server> {
  const given = process.env.AWOOOI_TEST_DATABASE_URL;
  if (given !== undefined) return { url: given, counts: false, stop: async () => {} };
  const dir = project === POSTGRESQL_15 ? postgresql15() : undefined;
  if (project === POSTGRESQL_15 && dir === undefined)
    throw new Error("there is no PostgreSQL 15: run `node test/support/prepare.ts`");
  const folder = await dataFolder();
  const options = {
    dataDir: join(folder, "data"),
    log: silentLog,
    ...(dir === undefined ? {} : { binaries: { dir } }),
  };
  const first = await startEmbeddedPostgres(options);
  await first.stop();
  await configure(options.dataDir);
  const embedded = await startEmbeddedPostgres(options);
  return {
    url: embedded.url,
    counts: true,
    async stop() {
      await embedded.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const noDeps = () => {
  throw new Error("the template has no work");
};

/** Settings that the server reads when it starts the next time; the older one would refuse some by `alter system`. */
async function configure(dataDir: string): Promise<void> {
  const settings = Object.entries({ synchronous_commit: "off", ...WATCH_STATEMENTS });
  const text = settings
    .map(
      ([name, value]) => `${name} = '${value}'
`,
    )
    .join("");
  await appendFile(join(dataDir, "postgres/postgresql.auto.conf"), text);
}

/** One real PostgreSQL for the whole run of a project (`AWOOOI_TEST_DATABASE_URL` for one of yours). */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startServer(project.name);
  const admin = createPool({ url: server.url }, silentLog);
  await admin.query(`drop database if exists ${TEMPLATE}`);
  await admin.query(`create database ${TEMPLATE}`);
  const { rows } = await admin.query<{ server_version: string }>("show server_version");
  console.log(`${project.name}: PostgreSQL ${rows[0]?.server_version}`);
  if (server.counts) await prepareStatements(admin);
  const pool = createPool({ url: withDatabase(server.url, TEMPLATE) }, silentLog);
  await migrateSchema(pool);
  // With its queue, which a first start's engine would take a second to notice.
  await startWorkflows(noDeps, pool, silentLog);
  await stopWorkflows();
  await pool.end();
  project.provide("server", { url: server.url, counts: server.counts });
  return async () => {
    if (server.counts) await keepStatements(admin, project.name);
    await admin.end();
    await server.stop();
    await clearAbandoned();
  };
}

/** The same server's URL with another database. */
export function withDatabase(url: string, name: string): string {
  return url.replace(/^([a-z]+:\/\/[^/]*\/)[^?]*/, `$1${name}`);
}
