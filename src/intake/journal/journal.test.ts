import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { createDb, createPool } from "../../db/client.ts";
import { silentLog } from "../../lib/log.ts";
import type { Receipt } from "../types.ts";
import { Journal, type JournalLimits } from "./journal.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

const LIMITS: JournalLimits = { requests: 10_000, bytes: 1_000_000, receipts: 100 };
const receipt = (text: string): Omit<Receipt, "seq"> => ({
  source: "alertmanager",
  sender: "127.0.0.1",
  body: Buffer.from(text),
  received_at: new Date("2026-05-04T08:00:00Z"),
});
const code = (expected: string) => expect.objectContaining({ name: "AwoooiError", code: expected });
const stored = async () =>
  (
    await database.pool.query(
      "select seq::int, encode(body, 'escape') body, state, xmin::text from receipts order by seq",
    )
  ).rows as {
    seq: number;
    body: string;
    state: string;
    xmin: string;
  }[];

describe("the journal", () => {
  it("has the bytes on disk, in the order of the calls, in few commits, before anyone is told", async () => {
    const journal = new Journal(
      database.ctx(),
      () => LIMITS,
      () => 0,
    );
    const texts = Array.from({ length: 1_200 }, (_, n) => `{"n": ${n}}`);
    const receipts = await Promise.all(texts.map((text) => journal.append(receipt(text))));
    const rows = await stored();
    expect(rows.map((row) => row.body)).toEqual(texts);
    expect(receipts.map((one) => one.seq)).toEqual(rows.map((row) => row.seq));
    expect(rows.every((row) => row.state === "received")).toBe(true);
    expect(new Set(rows.map((row) => row.xmin)).size).toBeLessThanOrEqual(3);
    expect(receipts[7]).toMatchObject({
      source: "alertmanager",
      sender: "127.0.0.1",
      body: Buffer.from(texts[7]!),
    });
  });

  it("goes on with calls that come while a commit is under way", async () => {
    const before = (await stored()).length;
    const journal = new Journal(
      database.ctx(),
      () => LIMITS,
      () => 0,
    );
    const chain = async (n: number) => {
      for (let step = 0; step < 5; step += 1) await journal.append(receipt(`${n}.${step}`));
    };
    await Promise.all(Array.from({ length: 40 }, (_, n) => chain(n)));
    await journal.idle();
    const rows = (await stored()).slice(before);
    expect(rows).toHaveLength(200);
    for (let n = 0; n < 40; n += 1) {
      const mine = rows.filter((row) => row.body.startsWith(`${n}.`)).map((row) => row.body);
      expect(mine).toEqual([0, 1, 2, 3, 4].map((step) => `${n}.${step}`));
    }
  });

  it("keeps a body of any bytes as it came", async () => {
    const journal = new Journal(
      database.ctx(),
      () => LIMITS,
      () => 0,
    );
    const body = Buffer.from([0, 255, 128, 10, 0]);
    const { seq } = await journal.append({ ...receipt(""), body });
    const { rows } = await database.pool.query("select body from receipts where seq = $1", [seq]);
    expect(rows[0].body).toEqual(body);
  });
});

describe("past its bounds the journal", () => {
  const overloaded = expect.objectContaining({ code: "overloaded", retryAfter: expect.any(Number) });

  it("refuses calls over the number that may wait, and takes them again afterwards", async () => {
    const journal = new Journal(
      database.ctx(),
      () => ({ ...LIMITS, requests: 3 }),
      () => 0,
    );
    const settled = await Promise.allSettled([1, 2, 3, 4, 5].map((n) => journal.append(receipt(`${n}`))));
    expect(settled.map((one) => one.status)).toEqual([
      "fulfilled",
      "fulfilled",
      "fulfilled",
      "rejected",
      "rejected",
    ]);
    expect(settled[4]).toMatchObject({ reason: overloaded });
    await expect(journal.append(receipt("6"))).resolves.toBeDefined();
  });

  it("refuses bytes over what may wait, and has them back when they are written or refused", async () => {
    const journal = new Journal(
      database.ctx(),
      () => ({ ...LIMITS, bytes: 10 }),
      () => 0,
    );
    const settled = await Promise.allSettled(
      ["12345", "12345", "1"].map((text) => journal.append(receipt(text))),
    );
    expect(settled.map((one) => one.status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
    await journal.idle();
    await expect(journal.append(receipt("1234567890"))).resolves.toBeDefined();
    await expect(journal.append(receipt("12345678901"))).rejects.toEqual(overloaded);
  });

  it("refuses while too many receipts wait to be understood", async () => {
    let backlog = 100;
    const journal = new Journal(
      database.ctx(),
      () => LIMITS,
      () => backlog,
    );
    const before = (await stored()).length;
    await expect(journal.append(receipt("x"))).rejects.toEqual(overloaded);
    expect(await stored()).toHaveLength(before);
    backlog = 99;
    await expect(journal.append(receipt("x"))).resolves.toBeDefined();
  });
});

describe("without a database the journal", () => {
  it("refuses every call as unavailable, acknowledges nothing, and forgets none of its room", async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as { port: number };
    await new Promise((done) => server.close(done));
    const limits = { max: 2, query_timeout_ms: 1_000, connect_timeout_ms: 1_000 };
    const pool = createPool({ url: `postgresql://x@127.0.0.1:${port}/x` }, silentLog, limits);
    const journal = new Journal(
      { ...database.ctx(), db: createDb(pool) },
      () => ({ ...LIMITS, bytes: 3 }),
      () => 0,
    );
    for (let round = 0; round < 3; round += 1) {
      const settled = await Promise.allSettled(["a", "b", "c"].map((text) => journal.append(receipt(text))));
      for (const one of settled)
        expect(one).toMatchObject({ status: "rejected", reason: code("unavailable") });
    }
    await pool.end();
    await expect(journal.append(receipt("d"))).rejects.toEqual(code("unavailable"));
  });

  it("says so too when it cannot write, and goes on when it can", async () => {
    const before = (await stored()).length;
    const journal = new Journal(
      database.ctx(),
      () => LIMITS,
      () => 0,
    );
    await database.pool.query(`create function full_disk() returns trigger language plpgsql as
      $$ begin raise exception 'no space left' using errcode = '53100'; end $$`);
    await database.pool.query(
      "create trigger full_disk before insert on receipts execute function full_disk()",
    );
    await expect(journal.append(receipt("x"))).rejects.toEqual(code("unavailable"));
    await database.pool.query("drop trigger full_disk on receipts");
    expect(await stored()).toHaveLength(before);
    await expect(journal.append(receipt("x"))).resolves.toBeDefined();
    expect(await stored()).toHaveLength(before + 1);
  });
});
