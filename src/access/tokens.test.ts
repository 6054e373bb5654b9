import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDatabase, type TestDatabase } from "../../test/support/database.ts";
import { verifyChain } from "../audit/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { type Actor, ROLES } from "../lib/actor.ts";
import { authenticate } from "./authenticate.ts";
import { authorise, hasRole } from "./authorise.ts";
import { personKey } from "./names.ts";
import { createToken, ensureAdmin, listTokens, personOfToken, revokeToken } from "./tokens.ts";

const code = (expected: string) => expect.objectContaining({ name: "AwoooiError", code: expected });
const person = (role: (typeof ROLES)[number]): Actor => ({
  kind: "person",
  person_id: "PER-ROOT",
  name: "root",
  role,
  token_id: "TOK-ROOT",
});
const OTHERS: Actor[] = [
  { kind: "sender", name: "alertmanager" },
  ...(["intake", "pipeline", "sweep"] as const).map((name) => ({ kind: "system" as const, name })),
];

describe("tokens", () => {
  let database: TestDatabase;
  let admin: Ctx;
  beforeAll(async () => {
    database = await createDatabase();
    admin = database.ctx(person("admin"));
  });
  afterAll(() => database.drop());

  it("sign their person in with their role, until they are revoked", async () => {
    for (const role of ROLES) {
      const made = await createToken(admin, { name: `laptop-${role}`, role, person: "Ada" });
      const actor = await authenticate(database.ctx(), `Bearer ${made.token}`);
      expect(actor).toEqual({
        kind: "person",
        person_id: made.person_id,
        name: "Ada",
        role,
        token_id: made.token_id,
      });
      await revokeToken(admin, { token_id: made.token_id });
      await expect(authenticate(database.ctx(), `Bearer ${made.token}`)).rejects.toThrow(
        code("unauthenticated"),
      );
      await expect(revokeToken(admin, { token_id: made.token_id })).rejects.toThrow(code("not_found"));
    }
  });

  it("name their person however many newer ones there are, and to an admin only", async () => {
    const { token_id } = await createToken(admin, { name: "oldest", role: "viewer", person: "Bea" });
    await database.pool.query(
      `insert into tokens (token_id, person_id, name, role, hash, created_by, created_at)
       select 'TOK-many-' || n, person_id, 'many', role, 'hash-' || n, created_by, created_at + interval '1 hour'
         from tokens, generate_series(1, 200) n where token_id = $1`,
      [token_id],
    );
    expect((await listTokens(admin)).some((one) => one.token_id === token_id)).toBe(false);
    expect(await personOfToken(admin, token_id)).toMatchObject({ person: "Bea" });
    await expect(personOfToken(admin, "TOK-none")).rejects.toThrow(code("not_found"));
    for (const actor of [person("approver"), ...OTHERS])
      await expect(personOfToken(database.ctx(actor), token_id)).rejects.toThrow(code("forbidden"));
    await database.pool.query("delete from tokens where token_id like 'TOK-many-%'");
  });

  it("are stored as hashes only, and shown once", async () => {
    const { token, token_id } = await createToken(admin, { name: "once", role: "viewer" });
    expect(token).toMatch(/^awoooi_[A-Za-z0-9_-]{43}$/);
    const { rows } = await database.pool.query(
      "select t::text from tokens t union all select a::text from audit_entries a",
    );
    expect(rows.map((row) => Object.values(row).join()).join()).not.toContain(token);
    const listed = (await listTokens(admin)).find((one) => one.token_id === token_id);
    expect(JSON.stringify(listed)).not.toContain(token);
    expect(listed).toMatchObject({
      name: "once",
      person: "once",
      role: "viewer",
      created_by: "root",
      revoked_at: null,
    });
  });

  it("of one person with several spellings are one person's", async () => {
    const names = ["Bob Lee", " bob  lee ", "BOB LEE", "Ｂob\u00a0Lee", "Bob\u200b Lee", "B\u00adob Lee"];
    const made = [];
    for (const name of names)
      made.push(await createToken(admin, { name: "x", role: "approver", person: name }));
    expect(new Set(made.map((one) => one.person_id)).size).toBe(1);
    expect(new Set(made.map((one) => one.token)).size).toBe(names.length);
    const other = await createToken(admin, { name: "x", role: "approver", person: "Rob Lee" });
    expect(other.person_id).not.toBe(made[0]?.person_id);
    for (const name of names) expect(personKey(name)).toBe("bob lee");
  });

  it("made at once for a new person make one person", async () => {
    const made = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        createToken(admin, { name: `t${n}`, role: "viewer", person: n % 2 ? "Zoe" : "ZOE" }),
      ),
    );
    expect(new Set(made.map((one) => one.person_id)).size).toBe(1);
  });

  it("are an admin's to make, list and revoke, nobody else's, and nothing is left of a refusal", async () => {
    const { token_id } = await createToken(admin, { name: "victim", role: "admin" });
    const before = (await database.pool.query("select count(*) from audit_entries")).rows;
    for (const actor of [...(["viewer", "responder", "approver"] as const).map(person), ...OTHERS]) {
      const ctx = database.ctx(actor);
      await expect(createToken(ctx, { name: "x", role: "admin" })).rejects.toThrow(code("forbidden"));
      await expect(listTokens(ctx)).rejects.toThrow(code("forbidden"));
      await expect(revokeToken(ctx, { token_id })).rejects.toThrow(code("forbidden"));
    }
    expect((await database.pool.query("select count(*) from audit_entries")).rows).toEqual(before);
  });

  it.each([
    undefined,
    "",
    "Bearer",
    "Bearer ",
    "Basic abc",
    "Bearer a b",
    "Bearer unknown-token",
    "unknown",
    "Bearer ' or 1=1 --",
  ])("do not let the header %j in", async (header) => {
    await expect(authenticate(database.ctx(), header)).rejects.toThrow(code("unauthenticated"));
  });

  it("are not their hashes", async () => {
    await createToken(admin, { name: "hash", role: "admin" });
    const { rows } = await database.pool.query("select hash from tokens");
    for (const { hash } of rows) {
      await expect(authenticate(database.ctx(), `Bearer ${hash}`)).rejects.toThrow(code("unauthenticated"));
    }
  });

  it("leave their story in the ledger", async () => {
    const { token_id } = await createToken(admin, { name: "story", role: "viewer" });
    await revokeToken(admin, { token_id });
    const { rows } = await database.pool.query(
      "select action, actor from audit_entries where subject = $1 order by seq",
      [token_id],
    );
    expect(rows).toEqual([
      { action: "access.created", actor: "root" },
      { action: "access.revoked", actor: "root" },
    ]);
    expect(await verifyChain(admin)).toMatchObject({ broken_at: null });
  });
});

describe("the first admin", () => {
  let database: TestDatabase;
  let start: Ctx;
  beforeAll(async () => {
    database = await createDatabase();
    start = database.ctx({ kind: "system", name: "bootstrap" });
  });
  afterAll(() => database.drop());
  const CONFIGURED = "configured-token-of-more-than-32-characters";
  const NEXT = "another-configured-token-of-forty-characters";
  const signIn = (token: string) => authenticate(database.ctx(), `Bearer ${token}`);

  it("is made once, and replaced as the configuration says", async () => {
    const made = (await ensureAdmin(start, undefined)) as string;
    expect(await signIn(made)).toMatchObject({ name: "admin", role: "admin" });
    expect(await ensureAdmin(start, undefined)).toBeNull();

    // Configured: never shown, live beside the one that was made, whatever the number of starts.
    expect(await ensureAdmin(start, CONFIGURED)).toBeNull();
    expect(await ensureAdmin(start, CONFIGURED)).toBeNull();
    const first = await signIn(CONFIGURED);
    expect(first).toMatchObject({ role: "admin" });
    expect(await signIn(made)).toMatchObject({ person_id: (first as { person_id: string }).person_id });

    // Another one replaces the one before, and back again.
    await ensureAdmin(start, NEXT);
    expect(await signIn(NEXT)).toMatchObject({ role: "admin" });
    await expect(signIn(CONFIGURED)).rejects.toThrow(code("unauthenticated"));
    await ensureAdmin(start, CONFIGURED);
    expect(await signIn(CONFIGURED)).toMatchObject({ role: "admin" });
    await expect(signIn(NEXT)).rejects.toThrow(code("unauthenticated"));

    // Configured no longer: it ends, and with the made one revoked too a new one is made.
    expect(await ensureAdmin(start, undefined)).toBeNull();
    await expect(signIn(CONFIGURED)).rejects.toThrow(code("unauthenticated"));
    const { token_id } = (await signIn(made)) as { token_id: string };
    await revokeToken(database.ctx(person("admin")), { token_id });
    const again = await ensureAdmin(start, undefined);
    expect(again).not.toBeNull();
    expect(await signIn(again as string)).toMatchObject({ role: "admin" });
    expect((await database.pool.query("select 1 from people")).rows).toHaveLength(1);
  });

  it("is the bootstrap's to make", async () => {
    for (const actor of [...ROLES.map(person), ...OTHERS]) {
      await expect(ensureAdmin(database.ctx(actor), CONFIGURED)).rejects.toThrow(code("forbidden"));
    }
  });
});

describe("authorising", () => {
  it("admits a person from the role upwards, and nobody where people are not admitted", () => {
    for (const [at, role] of ROLES.entries()) {
      for (const [needed, least] of ROLES.entries()) {
        expect(hasRole(role, least)).toBe(at >= needed);
        const attempt = () => authorise(person(role), "do it", { people: least });
        if (at >= needed) expect(attempt).not.toThrow();
        else expect(attempt).toThrow(code("forbidden"));
      }
      expect(() => authorise(person(role), "do it", { people: "none" })).toThrow(code("forbidden"));
    }
    expect(() => authorise(person("root" as never), "do it", { people: "viewer" })).toThrow(
      code("forbidden"),
    );
  });

  it("admits senders and parts of the system only where they are named", () => {
    for (const actor of OTHERS) {
      expect(() => authorise(actor, "do it", { people: "viewer" })).toThrow(code("forbidden"));
      expect(() => authorise(actor, "do it", { people: "viewer", system: ["bootstrap"] })).toThrow(
        code("forbidden"),
      );
    }
    expect(() => authorise(OTHERS[0]!, "do it", { people: "none", senders: true })).not.toThrow();
    expect(() => authorise(OTHERS[1]!, "do it", { people: "none", system: ["intake"] })).not.toThrow();
    expect(() => authorise(OTHERS[1]!, "do it", { people: "none", senders: true })).toThrow(
      code("forbidden"),
    );
  });
});
