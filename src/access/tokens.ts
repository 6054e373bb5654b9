import { record } from "../audit/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { actorLabel, type Role } from "../lib/actor.ts";
import { sha256 } from "../lib/canonical-json.ts";
import { AwoooiError } from "../lib/error.ts";
import { authorise } from "./authorise.ts";
import { ensurePerson, insertToken, listTokenRows, liveAdminTokens, revokeTokenRow } from "./store.ts";
import type { Token } from "./types.ts";

const ADMIN = "admin";
const CONFIGURED = "configuration";
const FIRST_START = "first start";

/** Two spellings of a name that look alike are one person: a quorum must not be met by one with two names. */
export function personKey(name: string): string {
  // Without what cannot be seen, a zero-width space for one.
  const seen = name.normalize("NFKC").replace(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, "");
  return seen.trim().replace(/\s+/gu, " ").toLowerCase();
}

function newSecret(ctx: Ctx): string {
  return `awoooi_${ctx.random(32).toString("base64url")}`;
}

/**
 * Makes a token for a person, who is made too if new. `person` is whose it is (default: `name`); `name`
 * tells the person's tokens apart. The secret is in the answer and nowhere else.
 */
export async function createToken(
  ctx: Ctx,
  input: { name: string; role: Role; person?: string | undefined },
): Promise<{ token_id: string; person_id: string; person: string; name: string; role: Role; token: string }> {
  authorise(ctx.actor, "create tokens", { people: "admin" });
  const person = (input.person ?? input.name).normalize("NFKC").trim().replace(/\s+/gu, " ");
  const token = newSecret(ctx);
  return transaction(ctx, async (tx) => {
    const person_id = await ensurePerson(tx, personKey(person), person);
    const created_by = actorLabel(tx.actor);
    const fields = { person_id, name: input.name, role: input.role };
    const token_id = await insertToken(tx, { ...fields, hash: sha256(token), created_by });
    record(tx, { action: "access.created", subject: token_id, data: { person, ...fields } });
    return { token_id, person, ...fields, token };
  });
}

/** All tokens, revoked ones too, without their secrets. */
export async function listTokens(ctx: Ctx): Promise<Token[]> {
  authorise(ctx.actor, "list tokens", { people: "admin" });
  return listTokenRows(ctx);
}

/** Ends a token at once; what its person has signed stays signed. */
export async function revokeToken(ctx: Ctx, input: { token_id: string }): Promise<void> {
  authorise(ctx.actor, "revoke tokens", { people: "admin" });
  await transaction(ctx, async (tx) => {
    if (!(await revokeTokenRow(tx, input.token_id))) {
      throw new AwoooiError("not_found", `There is no live token ${input.token_id}.`);
    }
    record(tx, { action: "access.revoked", subject: input.token_id });
  });
}

/**
 * Sees to it that someone can sign in: the configured admin token is live and replaces one configured
 * before; with none configured and no live admin token, one is made and returned, to be shown once.
 */
export async function ensureAdmin(ctx: Ctx, configured: string | undefined): Promise<string | null> {
  authorise(ctx.actor, "set up the admin", { people: "nobody", system: ["bootstrap"] });
  return transaction(ctx, async (tx) => {
    const hash = configured === undefined ? null : sha256(configured);
    const live = await liveAdminTokens(tx);
    for (const token of live.filter((one) => one.created_by === CONFIGURED && one.hash !== hash)) {
      await revokeTokenRow(tx, token.token_id);
      record(tx, { action: "access.revoked", subject: token.token_id, data: { reason: CONFIGURED } });
    }
    const usable = live.filter((one) => one.created_by !== CONFIGURED || one.hash === hash);
    if (configured === undefined ? usable.length > 0 : usable.some((one) => one.hash === hash)) return null;
    const person_id = await ensurePerson(tx, personKey(ADMIN), ADMIN);
    const secret = configured ?? newSecret(tx);
    const created_by = configured === undefined ? FIRST_START : CONFIGURED;
    const token = { person_id, name: ADMIN, role: "admin" as const, hash: sha256(secret), created_by };
    const token_id = await insertToken(tx, token);
    record(tx, { action: "access.created", subject: token_id, data: { person: ADMIN, created_by } });
    return configured === undefined ? secret : null;
  });
}
