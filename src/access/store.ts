import { and, desc, eq, isNull } from "drizzle-orm";
import type { Ctx } from "../db/ctx.ts";
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
  revoked_at: tokens.revoked_at,
};

const select = (ctx: Ctx) =>
  ctx.db.select(columns).from(tokens).innerJoin(people, eq(people.person_id, tokens.person_id));

/** The token with this hash, unless it was revoked. */
export async function findLiveToken(ctx: Ctx, hash: string): Promise<Token | undefined> {
  const [row] = await select(ctx).where(and(eq(tokens.hash, hash), isNull(tokens.revoked_at)));
  return row;
}

/** The newest 200 tokens: an installation of a small team has fewer. */
export async function listTokenRows(ctx: Ctx): Promise<Token[]> {
  return select(ctx).orderBy(desc(tokens.created_at), desc(tokens.token_id)).limit(200);
}

/** The person of this key, made if there is none. */
export async function ensurePerson(ctx: Ctx, key: string, name: string): Promise<string> {
  await ctx.db
    .insert(people)
    .values({ person_id: prefixedId("PER", ctx.random), key, name, created_at: ctx.clock.now() })
    .onConflictDoNothing({ target: people.key });
  const [row] = await ctx.db.select({ id: people.person_id }).from(people).where(eq(people.key, key));
  if (row === undefined) throw new Error("a person that was just made is gone");
  return row.id;
}

export async function insertToken(
  ctx: Ctx,
  token: { person_id: string; name: string; role: Role; hash: string; created_by: string },
): Promise<string> {
  const [row] = await ctx.db
    .insert(tokens)
    .values({ ...token, token_id: prefixedId("TOK", ctx.random), created_at: ctx.clock.now() })
    // Only a configured token can come back: one that was replaced and is configured again.
    .onConflictDoUpdate({ target: tokens.hash, set: { revoked_at: null } })
    .returning({ token_id: tokens.token_id });
  if (row === undefined) throw new Error("a token that was just made is gone");
  return row.token_id;
}

/** Revokes a token that is live; false when there is none of this id. */
export async function revokeTokenRow(ctx: Ctx, token_id: string): Promise<boolean> {
  const rows = await ctx.db
    .update(tokens)
    .set({ revoked_at: ctx.clock.now() })
    .where(and(eq(tokens.token_id, token_id), isNull(tokens.revoked_at)))
    .returning({ id: tokens.token_id });
  return rows.length > 0;
}

/** The live tokens of role admin. */
export async function liveAdminTokens(
  ctx: Ctx,
): Promise<{ token_id: string; hash: string; created_by: string }[]> {
  return ctx.db
    .select({ token_id: tokens.token_id, hash: tokens.hash, created_by: tokens.created_by })
    .from(tokens)
    .where(and(eq(tokens.role, "admin"), isNull(tokens.revoked_at)));
}
