import { sql } from "drizzle-orm";
import type pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createDatabase, type TestDatabase } from "../../test/support/database.ts";
import { silentLog } from "../lib/log.ts";
import { createDb, createPool, type Db } from "./client.ts";
import { isUnavailable } from "./failure.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

describe("the pool", () => {
  it("outlives the loss of a connection in use: its query rejects, and the next one has another", async () => {
    const client = await database.pool.connect();
    const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
    const closed = new Promise<void>((resolve) => client.once("end", resolve));
    // Vitest fails on an error event that nobody hears; a server would end by it.
    const lost = expect(client.query("select pg_sleep(60)")).rejects.toThrow();
    await database.pool.query("select pg_terminate_backend($1)", [rows[0]?.pid]);
    await Promise.all([lost, closed]);
    client.release();
    const next = await database.pool.query<{ pid: number }>("select pg_backend_pid() as pid");
    expect(next.rows[0]?.pid).not.toBe(rows[0]?.pid);
  });
});

describe("a transaction", () => {
  const LIMITS = { max: 2, query_timeout_ms: 200, connect_timeout_ms: 1_000 };
  let pool: pg.Pool;
  let db: Db;

  beforeEach(() => {
    pool = createPool({ url: database.url }, silentLog, LIMITS);
    db = createDb(pool);
  });
  afterEach(() => pool.end());

  const pidOf = async (on: Db) => {
    const { rows } = await on.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`);
    return rows[0]?.pid as number;
  };

  it("keeps no connection whose begin is not answered: as often as there are connections, and once more", async () => {
    for (let time = 0; time <= LIMITS.max; time += 1) {
      const pid = await pidOf(db);
      process.kill(pid, "SIGSTOP");
      try {
        const begun = db.transaction(() => Promise.resolve());
        await expect(begun).rejects.toThrow("Query read timeout");
      } finally {
        process.kill(pid, "SIGCONT");
      }
    }
    expect(await db.transaction(pidOf)).toBeGreaterThan(0);
    expect(pool.totalCount).toBe(1);
  });

  it("rejects with what went wrong in it, not with the rollback that failed after it", async () => {
    const failed = db.transaction(async (tx) => {
      await database.pool.query("select pg_terminate_backend($1)", [await pidOf(tx)]);
      throw new Error("the reason");
    });
    await expect(failed).rejects.toThrow("the reason");
    expect(await db.transaction(pidOf)).toBeGreaterThan(0);
  });

  it("uses a connection again whose transaction was rolled back, and keeps nothing of that", async () => {
    await db.execute(sql`create table kept (n int)`);
    let pid: number | undefined;
    const failed = db.transaction(async (tx) => {
      pid = await pidOf(tx);
      await tx.execute(sql`insert into kept values (1)`);
      throw new Error("the reason");
    });
    await expect(failed).rejects.toThrow("the reason");
    expect((await db.execute(sql`select n from kept`)).rows).toEqual([]);
    expect(await db.transaction(pidOf)).toBe(pid);
  });

  it("is for another time where its server only reads, as a replica does before it is promoted", async () => {
    const failed = db.transaction(async (tx) => {
      await tx.execute(sql`set transaction read only`);
      await tx.execute(sql`create table never (n int)`);
    });
    await expect(failed).rejects.toSatisfy(isUnavailable);
  });
});
