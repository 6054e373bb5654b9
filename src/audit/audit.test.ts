import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createDatabase, type TestDatabase } from "../../test/support/database.ts";
import { transaction } from "../db/transaction.ts";
import type { Actor } from "../lib/actor.ts";
import { canonicalJson, sha256 } from "../lib/canonical-json.ts";
import { entriesBefore, record, verifyChain } from "./index.ts";
import type { AuditRange } from "./verify.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());
beforeEach(() => tamper("delete from audit_entries"));

const sql = async (text: string, values: unknown[] = []) => (await database.pool.query(text, values)).rows;

/** What only a superuser can do: change the ledger with its trigger out of the way. */
async function tamper(...statements: string[]): Promise<void> {
  await sql("alter table audit_entries disable trigger audit_entries_append_only");
  for (const statement of statements) await sql(statement);
  await sql("alter table audit_entries enable trigger audit_entries_append_only");
}

const write = (subject: string, count = 1, data: Record<string, unknown> = {}, actor?: Actor) =>
  transaction(database.ctx(actor), async (tx) => {
    for (let n = 0; n < count; n += 1) record(tx, { action: "test.written", subject, data: { n, ...data } });
  });
const verify = () => verifyChain(database.ctx());

describe("reading the ledger", () => {
  it("filters by who, what, about what and when, and pages through what is left", async () => {
    const done = (action: string, subject: string, data: Record<string, unknown> = {}, name = "pipeline") =>
      transaction(database.ctx({ kind: "system", name } as Actor), async (tx) =>
        record(tx, { action, subject, data }),
      );
    await done("approval.signed", "APR-1", { incident_id: "INC-1" }, "bootstrap");
    await done("approval.expired", "APR-2", { incident_id: "INC-2" });
    await done("approvals.odd", "APR-3");
    await done("incident.closed", "INC-1");
    const found = async (filter: Parameters<typeof entriesBefore>[3], from?: number, most = 10) =>
      (await entriesBefore(database.ctx(), from, most, filter)).map((one) => one.subject);
    expect(await found({})).toEqual(["INC-1", "APR-3", "APR-2", "APR-1"]);
    expect(await found({ action: "approval" })).toEqual(["APR-2", "APR-1"]);
    expect(await found({ action: "approval.signed" })).toEqual(["APR-1"]);
    expect(await found({ incident_id: "INC-1" })).toEqual(["INC-1", "APR-1"]);
    expect(await found({ subject: "INC-1" })).toEqual(["INC-1"]);
    expect(await found({ actor: "bootstrap" })).toEqual(["APR-1"]);
    const [newest] = await entriesBefore(database.ctx(), undefined, 1);
    const at = newest?.at ?? new Date(0);
    expect(await found({ until: new Date(at.getTime() + 1), since: at })).toContain("INC-1");
    expect(await found({ since: new Date(at.getTime() + 1) })).toEqual([]);
    expect(await found({ action: "approval" }, undefined, 1)).toEqual(["APR-2"]);
    expect(await found({ action: "approval" }, 2)).toEqual(["APR-1"]);
  });
});

describe("the ledger", () => {
  it("is a chain without gaps that verifies, and says who did what", async () => {
    expect(await verify()).toEqual({
      entries: 0,
      broken_at: null,
      reason: null,
      next: null,
      head: "0".repeat(64),
    });
    const ada: Actor = { kind: "person", person_id: "PER-1", name: "ada", role: "admin", token_id: "TOK-1" };
    await write(
      "one",
      3,
      {
        text: "漢字 \u{1f600}",
        float: 0.1 + 0.2,
        big: 1e21,
        tiny: 5e-324,
        nested: [{ b: 1, a: [null, ""] }],
      },
      ada,
    );
    await write("two", 2, {}, { kind: "sender", name: "alertmanager" });
    const entries = await entriesBefore(database.ctx(), undefined, 10);
    expect(entries.map((one) => one.seq)).toEqual([5, 4, 3, 2, 1]);
    expect(entries.map((one) => [one.actor_kind, one.actor])).toEqual([
      ["sender", "alertmanager (sender)"],
      ["sender", "alertmanager (sender)"],
      ["person", "ada"],
      ["person", "ada"],
      ["person", "ada"],
    ]);
    expect(await verify()).toEqual({
      entries: 5,
      broken_at: null,
      reason: null,
      next: null,
      head: entries[0]!.hash,
    });
  });

  it("verifies over more entries than it reads at a time", async () => {
    await write("many", 2_500);
    expect(await verify()).toMatchObject({ entries: 2_500, broken_at: null });
    await tamper("update audit_entries set subject = 'other' where seq = 2001");
    expect(await verify()).toMatchObject({ entries: 2_000, broken_at: 2_001 });
  });

  it("verifies in ranges, each of which continues the one before", async () => {
    await write("many", 25);
    const range = (range: AuditRange) => verifyChain(database.ctx(), range);
    const first = await range({ most: 10 });
    expect(first).toMatchObject({ entries: 10, broken_at: null, next: 11 });
    const second = await range({ from: 11, head: first.head, most: 10 });
    expect(second).toMatchObject({ entries: 20, broken_at: null, next: 21 });
    expect(await range({ from: 21, head: second.head, most: 5 })).toEqual(await verify());
    expect(await range({ from: 21 })).toMatchObject({ entries: 25, broken_at: null, next: null });
    expect(await range({ from: 26 })).toMatchObject({ entries: 25, broken_at: null, next: null });
    // Another history before it is seen by who was told what it was.
    expect(await range({ from: 11, head: "a".repeat(64) })).toMatchObject({ broken_at: 11 });
    expect(await range({ from: 28 })).toMatchObject({ broken_at: 28, reason: "entry 27 is missing" });
    await tamper("update audit_entries set subject = 'other' where seq = 15");
    expect(await range({ from: 11, head: first.head, most: 10 })).toMatchObject({
      entries: 14,
      broken_at: 15,
    });
    expect(await range({ from: 16, most: 5 })).toMatchObject({ broken_at: null });
    await tamper("delete from audit_entries where seq = 10");
    expect(await range({ from: 11 })).toMatchObject({ broken_at: 11, reason: "entry 10 is missing" });
  });

  it.each([
    "update audit_entries set actor = 'eve'",
    "delete from audit_entries",
    "truncate audit_entries",
    "update audit_entries set actor = 'eve' where false",
  ])("refuses to be changed: %s", async (statement) => {
    await write("kept", 2);
    await expect(sql(statement)).rejects.toThrow("append-only");
    expect(await verify()).toMatchObject({ entries: 2, broken_at: null });
  });

  it.each([
    ["an actor", "update audit_entries set actor = 'eve' where seq = 3", 3],
    ["a kind of actor", "update audit_entries set actor_kind = 'person' where seq = 3", 3],
    ["an action", "update audit_entries set action = 'x' where seq = 3", 3],
    ["a subject", "update audit_entries set subject = 'x' where seq = 3", 3],
    ["data", `update audit_entries set data = '{"n": 9}' where seq = 3`, 3],
    ["added data", `update audit_entries set data = data || '{"more": null}' where seq = 3`, 3],
    ["a time", "update audit_entries set at = at + interval '1 ms' where seq = 3", 3],
    ["the hash of the one before", "update audit_entries set prev_hash = hash where seq = 3", 3],
    ["a hash", "update audit_entries set hash = prev_hash where seq = 3", 3],
    ["the first", "update audit_entries set subject = 'x' where seq = 1", 1],
    ["the last", "update audit_entries set subject = 'x' where seq = 5", 5],
    ["a missing one", "delete from audit_entries where seq = 3", 4],
    ["a missing first", "delete from audit_entries where seq = 1", 2],
    ["a place", "update audit_entries set seq = 9 where seq = 5", 9],
    [
      "places changed over",
      "update audit_entries set seq = case seq when 2 then 103 else 102 end where seq in (2, 3); update audit_entries set seq = seq - 100 where seq > 100",
      2,
    ],
    [
      "an inserted one",
      "insert into audit_entries select 6, at, actor_kind, actor, action, 'forged', data, hash, repeat('a', 64) from audit_entries where seq = 5",
      6,
    ],
  ])("shows that somebody changed %s", async (_what, statement, seq) => {
    await write("kept", 5);
    await tamper(statement);
    const report = await verify();
    expect(report.broken_at).toBe(seq);
    expect(report.reason).not.toBeNull();
  });

  it("shows an entry rewritten with a right hash of its own at the one behind it", async () => {
    await write("kept", 4);
    const entry = (await entriesBefore(database.ctx(), 4, 1))[0]!;
    const { hash: _, ...rest } = { ...entry, subject: "forged", at: entry.at.toISOString() };
    const hash = sha256(canonicalJson(rest));
    await tamper(`update audit_entries set subject = 'forged', hash = '${hash}' where seq = 3`);
    expect(await verify()).toMatchObject({ broken_at: 4 });
  });

  it("shows a cut end by its head", async () => {
    await write("kept", 4);
    const { head } = await verify();
    await tamper("delete from audit_entries where seq = 4");
    expect(await verify()).toMatchObject({ broken_at: null, entries: 3 });
    expect((await verify()).head).not.toBe(head);
  });

  it("has no gap and no fork when many write at once", async () => {
    await Promise.all(Array.from({ length: 30 }, (_, n) => write(`writer-${n}`, (n % 4) + 1)));
    const total = Array.from({ length: 30 }, (_, n) => (n % 4) + 1).reduce((a, b) => a + b);
    expect(await verify()).toMatchObject({ entries: total, broken_at: null });
    const rows = await sql(
      "select subject, min(seq)::int first, max(seq)::int last, count(*)::int n from audit_entries group by 1",
    );
    for (const row of rows) expect(row.last - row.first + 1).toBe(row.n);
  });

  it("has nothing of a transaction that was rolled back", async () => {
    await write("before");
    await expect(
      transaction(database.ctx(), async (tx) => {
        record(tx, { action: "test.lost", subject: "lost" });
        throw new Error("no");
      }),
    ).rejects.toThrow("no");
    await write("after");
    expect((await entriesBefore(database.ctx(), undefined, 9)).map((one) => one.subject)).toEqual([
      "after",
      "before",
    ]);
    expect(await verify()).toMatchObject({ entries: 2, broken_at: null });
  });

  it("has what a nested verb records, once, with the transaction that it joined", async () => {
    await transaction(database.ctx(), async (tx) => {
      record(tx, { action: "outer", subject: "s" });
      await transaction({ ...tx, actor: { kind: "system", name: "sweep" } }, async (inner) => {
        record(inner, { action: "inner", subject: "s" });
      });
    });
    expect((await entriesBefore(database.ctx(), undefined, 9)).map((one) => [one.action, one.actor])).toEqual(
      [
        ["inner", "sweep (system)"],
        ["outer", "intake (system)"],
      ],
    );
  });

  it("takes no entry outside a transaction, which nothing would bind to a change", () => {
    expect(() => record(database.ctx(), { action: "a", subject: "s" })).toThrow("outside a transaction");
  });

  it("keeps no credentials", async () => {
    await write("secret", 1, {
      password: "hunter2-x",
      headers: { Authorization: "Bearer abcdefgh12345" },
      output: "postgres://u:hunter2-x@db/x access_token=hunter2-x",
    });
    const [entry] = await sql("select data::text from audit_entries");
    expect(entry?.data).not.toMatch(/hunter2|abcdefgh/);
    expect(await verify()).toMatchObject({ broken_at: null });
  });
});
