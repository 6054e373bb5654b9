import { and, asc, desc, eq, isNull, sql } from "drizzle-orm";
import type { Ctx } from "../db/ctx.ts";
import { LOCKS } from "../db/lock.ts";
import { oneOf } from "../db/one-of.ts";
import { people, tokens } from "../db/schema.ts";
import type { Role } from "../lib/actor.ts";
import { prefixedId } from "../lib/id.ts";
import type { Token } from "./types.ts";

const columns = {
  token_id: tokens.token_id,
  person_id: tokens.person_id,
  person: people.name,
  name: tokens.name,
  role: tokens.role,
  created_at: tokens.created_at,
  created_by: tokens.created_by,
  created_by_kind: tokens.created_by_kind,
  revoked_at: tokens.revoked_at,
  keeps_signatures: tokens.keeps_signatures,
};

const select = (ctx: Ctx) =>
  ctx.db.select(columns).from(tokens).innerJoin(people, eq(people.person_id, tokens.person_id));

/** Returns the token with this hash, unless it was revoked. */
export async function findLiveToken(ctx: Ctx, hash: string): Promise<Token | undefined> {
  const [row] = await select(ctx).where(and(eq(tokens.hash, hash), isNull(tokens.revoked_at)));
  return row;
}

/** Returns the newest 200 tokens: an installation of a small team has fewer. */
export async function listTokenRows(ctx: Ctx): Promise<Token[]> {
  return select(ctx).orderBy(desc(tokens.created_at), desc(tokens.token_id)).limit(200);
}

/** Returns a token by its id, also one that was revoked. */
export async function findToken(ctx: Ctx, token_id: string): Promise<Token | undefined> {
  const [row] = await select(ctx).where(eq(tokens.token_id, token_id));
  return row;
}

/** Takes the advisory lock on the creation of people until the transaction ends. */
export async function lockPeople(ctx: Ctx): Promise<void> {
  await ctx.db.execute(sql`select pg_advisory_xact_lock(${LOCKS.people})`);
}

/** Returns the names of all people: a team's are few. */
export async function peopleNames(ctx: Ctx): Promise<{ person_id: string; key: string; name: string }[]> {
  const { person_id, key, name } = people;
  return ctx.db.select({ person_id, key, name }).from(people);
}

/** Returns the id of the person with this key; null: there is none. */
export async function findPersonByKey(ctx: Ctx, key: string): Promise<string | null> {
  const [row] = await ctx.db.select({ person_id: people.person_id }).from(people).where(eq(people.key, key));
  return row?.person_id ?? null;
}

export async function renamePerson(
  ctx: Ctx,
  person_id: string,
  to: { name: string; key: string },
): Promise<void> {
  await ctx.db.update(people).set(to).where(eq(people.person_id, person_id));
}

/** Returns the person with this key, creating one named `name` if there is none; an existing one keeps their name. */
export async function ensurePerson(
  ctx: Ctx,
  key: string,
  name: string,
): Promise<{ person_id: string; name: string }> {
  await ctx.db
    .insert(people)
    .values({ person_id: prefixedId("PER", ctx.random), key, name, created_at: ctx.clock.now() })
    .onConflictDoNothing({ target: people.key });
  const [row] = await ctx.db
    .select({ person_id: people.person_id, name: people.name })
    .from(people)
    .where(eq(people.key, key));
  if (row === undefined) throw new Error("a person row just inserted is missing");
  return row;
}

export async function insertToken(
  ctx: Ctx,
  token: {
    person_id: string;
    name: string;
    role: Role;
    hash: string;
    created_by: string;
    created_by_kind: string;
  },
): Promise<string> {
  const [row] = await ctx.db
    .insert(tokens)
    .values({ ...token, token_id: prefixedId("TOK", ctx.random), created_at: ctx.clock.now() })
    // Only a configured token can conflict: it was replaced and is configured again. It is live from now on.
    .onConflictDoUpdate({
      target: tokens.hash,
      set: { revoked_at: null, keeps_signatures: false, created_at: ctx.clock.now() },
    })
    .returning({ token_id: tokens.token_id });
  if (row === undefined) throw new Error("a token row just inserted is missing");
  return row.token_id;
}

/** Revokes a live token and returns its person's id; undefined when there is no live token with this id. */
export async function revokeTokenRow(
  ctx: Ctx,
  token_id: string,
  keeps_signatures = false,
): Promise<string | undefined> {
  const [row] = await ctx.db
    .update(tokens)
    .set({ revoked_at: ctx.clock.now(), keeps_signatures })
    .where(and(eq(tokens.token_id, token_id), isNull(tokens.revoked_at)))
    .returning({ person_id: tokens.person_id });
  return row?.person_id;
}

/** Returns all tokens of these people, revoked ones included; `hold` locks them against being revoked. */
export async function tokensOfPeople(ctx: Ctx, person_ids: readonly string[], hold: boolean) {
  const { person_id, role, created_at, revoked_at, keeps_signatures } = tokens;
  const found = ctx.db
    .select({ person_id, role, created_at, revoked_at, keeps_signatures })
    .from(tokens)
    .where(oneOf(person_id, person_ids))
    .orderBy(asc(tokens.token_id));
  return hold ? found.for("share") : found;
}

/** Returns the live tokens of the role admin. */
export async function liveAdminTokens(
  ctx: Ctx,
): Promise<{ token_id: string; hash: string; created_by: string; created_by_kind: string | null }[]> {
  return ctx.db
    .select({
      token_id: tokens.token_id,
      hash: tokens.hash,
      created_by: tokens.created_by,
      created_by_kind: tokens.created_by_kind,
    })
    .from(tokens)
    .where(and(eq(tokens.role, "admin"), isNull(tokens.revoked_at)));
}
