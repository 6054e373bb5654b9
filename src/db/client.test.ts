import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDatabase, type TestDatabase } from "../../test/support/database.ts";

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
