import type { Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDatabase, type TestDatabase } from "../../test/support/database.ts";
import { silentLog } from "../lib/log.ts";
import { createWorkflowPool } from "./workflow-pool.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

describe("the pool of the workflow engine", () => {
  it("tells of a database that is away as of a connection that was reset, which the engine waits out", async () => {
    const nowhere = createWorkflowPool(
      { host: "/nowhere", user: "a", database: "a", password: "a" },
      silentLog,
    );
    const missing = { code: "ECONNRESET", cause: { code: "ENOENT" } };
    await expect(nowhere.query("select 1")).rejects.toMatchObject(missing);
    await expect(nowhere.connect()).rejects.toMatchObject(missing);
    await nowhere.end();
  });

  it("so too of a query without an answer, called in either way", async () => {
    const limits = { max: 1, query_timeout_ms: 100, connect_timeout_ms: 5_000 };
    const pool = createWorkflowPool({ url: database.url }, silentLog, limits);
    const silent = { code: "ECONNRESET", message: "Query read timeout" };
    await expect(pool.query("select pg_sleep(5)")).rejects.toMatchObject(silent);
    const client = await pool.connect();
    await expect(client.query("select pg_sleep(5)")).rejects.toMatchObject(silent);
    client.release(true);
    await pool.end();
  });

  it("so too of a connection that breaks under a query", async () => {
    const pool = createWorkflowPool({ url: database.url }, silentLog);
    type Inside = { connection: { stream: Socket } };
    const connected = new Promise<Socket>((resolve) => {
      pool.once("connect", (client) => resolve((client as unknown as Inside).connection.stream));
    });
    const broken = expect(pool.query("select pg_sleep(60)")).rejects.toMatchObject({
      code: "ECONNRESET",
      message: "write EPIPE",
      cause: { code: "EPIPE" },
    });
    (await connected).destroy(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
    await broken;
    await pool.end();
  });

  it("answers nothing once it has ended: what goes on then stops where it is", async () => {
    const pool = createWorkflowPool({ url: database.url }, silentLog);
    await pool.query("select 1");
    await pool.end();
    const answers: unknown[] = [];
    const told = (answer: unknown) => answers.push(answer);
    pool.query("select 1").then(told, told);
    pool.connect().then(told, told);
    void pool.query("select 1", told);
    await database.pool.query("select 1");
    expect(answers).toEqual([]);
  });

  it("leaves answers, and errors of the query itself, as they are", async () => {
    const pool = createWorkflowPool({ url: database.url }, silentLog);
    await expect(pool.query("select 1 / 0")).rejects.toMatchObject({ code: "22012" });
    const client = await pool.connect();
    await expect(client.query("select nothing")).rejects.toMatchObject({ code: "42703" });
    expect((await client.query("select $1::int as n", [7])).rows).toEqual([{ n: 7 }]);
    client.release();
    await pool.end();
  });
});
