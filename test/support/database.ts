import { randomBytes } from "node:crypto";
import { relative } from "node:path";
import type pg from "pg";
import { expect, inject } from "vitest";
import { createDb, createPool, type Db, DEFAULT_LIMITS } from "../../src/db/client.ts";
import type { Ctx } from "../../src/db/ctx.ts";
import type { Actor } from "../../src/lib/actor.ts";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { TEMPLATE, withDatabase } from "./global-setup.ts";
import { seededRandom } from "./random.ts";
import { asTester, noteFile } from "./statements.ts";

export type TestDatabase = {
  url: string;
  db: Db;
  /** What `db` asks through. */
  dbPool: pg.Pool;
  /** For what a test itself asks and changes: its statements are not counted as ours. */
  pool: pg.Pool;
  /** A context of this actor, by default the intake. Random bytes come from a printed seed. */
  ctx(actor?: Actor, clock?: Clock): Ctx;
  /** Empties what alerts lead to: deleting few rows is much quicker than truncating many tables. */
  forget(): Promise<void>;
  drop(): Promise<void>;
};

// Of a server that is slow; also, making and dropping a database waits for a checkpoint.
const PATIENT = { ...DEFAULT_LIMITS, query_timeout_ms: 120_000, connect_timeout_ms: 120_000 };

// In the order in which rows name one another.
const LED_TO =
  `receipts alerts alert_log inhibitors silence_changes silences heartbeats deliveries outbox processes signatures repair_records
  resolutions execution_attempts executions freezes approvals decisions investigations timeline incident_links
  correlation_lessons incidents playbooks
  idempotency_keys dbos.workflow_status`.split(/\s+/);

/** An empty, migrated database of this test file's own. */
export async function createDatabase(): Promise<TestDatabase> {
  const { url: server, counts } = inject("server");
  const name = `test_${randomBytes(6).toString("hex")}`;
  const admin = createPool({ url: server }, silentLog, PATIENT);
  await admin.query(`create database ${name} template ${TEMPLATE}`);
  if (counts) await noteFile(admin, name, relative(process.cwd(), expect.getState().testPath ?? "unknown"));
  const url = withDatabase(server, name);
  const dbPool = createPool({ url }, silentLog, PATIENT);
  const pool = createPool({ url: counts ? asTester(url) : url }, silentLog, PATIENT);
  const db = createDb(dbPool);
  const random = seededRandom();
  return {
    url,
    db,
    dbPool,
    pool,
    ctx: (actor = { kind: "system", name: "intake" }, clock = systemClock) => ({
      db,
      actor,
      clock,
      random,
      log: silentLog,
    }),
    async forget() {
      await pool.query(LED_TO.map((table) => `delete from ${table}`).join(";"));
    },
    async drop() {
      await Promise.all([dbPool.end(), pool.end()]);
      await admin.query(`drop database ${name} with (force)`);
      await admin.end();
    },
  };
}
