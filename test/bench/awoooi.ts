import { rm } from "node:fs/promises";
import type pg from "pg";
import { createPool } from "../../src/db/client.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../src/db/embedded/server.ts";
import { silentLog } from "../../src/lib/log.ts";
import { temporaryFolder } from "../support/folder.ts";
import { type Server, startServer } from "../support/server.ts";
import { until } from "../support/until.ts";
import type { Shape } from "./wrk.ts";

/** A server as it is shipped, on the embedded PostgreSQL, which the benchmark can look into. */
export type Bench = {
  server: Server;
  postgres: EmbeddedPostgres;
  pool: pg.Pool;
  /** Resolves when every receipt has been understood. */
  drained(): Promise<void>;
  count(sql: string): Promise<number>;
  close(): Promise<void>;
};

/** What Alertmanager's webhook puts round its alerts. */
export const WEBHOOK: Shape = {
  before:
    '{"version":"4","groupKey":"{}:{}","status":"firing","receiver":"awoooi","groupLabels":{},"commonLabels":{},' +
    '"commonAnnotations":{},"externalURL":"http://alertmanager.example.org","truncatedAlerts":0,"alerts":[',
  after: "]}",
};

const HOUR = 3_600;

/** `node_options` are the server's. */
export async function startBench(
  settings: Record<string, unknown> = {},
  node_options?: string,
): Promise<Bench> {
  const folder = await temporaryFolder("bench");
  const postgres = await startEmbeddedPostgres({ dataDir: folder, log: silentLog });
  const env = {
    DATABASE_URL: postgres.url,
    ...(node_options === undefined ? {} : { NODE_OPTIONS: node_options }),
  };
  const server = await startServer(
    folder,
    { server: { port: 0, log_level: "error" }, notification: { terminal: false }, ...settings },
    env,
  );
  const pool = createPool({ url: postgres.url }, silentLog, {
    max: 2,
    query_timeout_ms: 600_000,
    connect_timeout_ms: 5_000,
  });
  const count = async (sql: string) =>
    Number((await pool.query<{ n: string }>(`select (${sql}) as n`)).rows[0]?.n);
  return {
    server,
    postgres,
    pool,
    count,
    async drained() {
      const waiting = "select count(*) from receipts where state = 'received'";
      await until(async () => (await count(waiting)) === 0, "the journal to be worked off", HOUR);
    },
    async close() {
      await server.stop();
      await pool.end();
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
