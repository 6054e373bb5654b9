import { record } from "../audit/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { actorLabel, type Role } from "../lib/actor.ts";
import { sha256 } from "../lib/canonical-json.ts";
import { AwoooiError } from "../lib/error.ts";
import { visibleText } from "../lib/look-alike.ts";
import { authorise } from "./authorise.ts";
import { assertPersonName, assertTokenName, isSystemName, personKey } from "./names.ts";
import {
  ensurePerson,
  findToken,
  insertToken,
  listTokenRows,
  liveAdminTokens,
  lockPeople,
  peopleNames,
  renamePerson,
  revokeTokenRow,
} from "./store.ts";
import type { Token } from "./types.ts";

const ADMIN = "admin";
const CONFIGURED = "configuration";
const FIRST_START = "first start";

function newSecret(ctx: Ctx): string {
  return `awoooi_${ctx.random(32).toString("base64url")}`;
}

/**
 * Creates a token for a person, and the person too if new. `person` is its owner's name (default: `name`); `name` tells
 * the owner's tokens apart. The secret is in the answer and nowhere else. Throws `invalid` where either name passes for
 * another person's or the system's.
 */
export async function createToken(
  ctx: Ctx,
  input: { name: string; role: Role; person?: string | undefined },
): Promise<{ token_id: string; person_id: string; person: string; name: string; role: Role; token: string }> {
  authorise(ctx.actor, "create tokens", { people: "admin" });
  const wanted = input.person ?? input.name;
  const token = newSecret(ctx);
  return transaction(ctx, async (tx) => {
    // Serialises the creation of people, so that two look-alike names cannot be created concurrently.
    await lockPeople(tx);
    await assertPersonName(tx, wanted, input.person === undefined ? "name" : "person");
    await assertTokenName(tx, input.name, wanted);
    const { person_id, name: person } = await ensurePerson(tx, personKey(wanted), visibleText(wanted));
    const by = { created_by: actorLabel(tx.actor), created_by_kind: tx.actor.kind };
    const fields = { person_id, name: input.name, role: input.role };
    const token_id = await insertToken(tx, { ...fields, hash: sha256(token), ...by });
    record(tx, { action: "access.created", subject: token_id, data: { person, ...fields } });
    return { token_id, person, ...fields, token };
  });
}

/** Returns the newest 200 tokens, revoked ones included, without their secrets. */
export async function listTokens(ctx: Ctx): Promise<Token[]> {
  authorise(ctx.actor, "list tokens", { people: "admin" });
  return listTokenRows(ctx);
}

/** Returns the person of a token, also of a revoked one. Throws `not_found`. */
export async function personOfToken(
  ctx: Ctx,
  token_id: string,
): Promise<{ person_id: string; person: string }> {
  authorise(ctx.actor, "see a token's owner", { people: "admin" });
  const found = await findToken(ctx, token_id);
  if (found === undefined) throw new AwoooiError("not_found", `There is no token ${token_id}.`);
  return { person_id: found.person_id, person: found.person };
}

/**
 * Revokes a token at once. Its person's signatures of plans not yet carried out no longer count, unless they have
 * another token of a sufficient role, or `keep_signatures` says that they leave on good terms. After it returns no act
 * begins on the strength of such a signature. Throws `not_found`.
 */
export async function revokeToken(
  ctx: Ctx,
  input: { token_id: string; keep_signatures?: boolean | undefined },
): Promise<void> {
  authorise(ctx.actor, "revoke tokens", { people: "admin" });
  const { token_id, keep_signatures = false } = input;
  await transaction(ctx, async (tx) => {
    const person_id = await revokeTokenRow(tx, token_id, keep_signatures);
    if (person_id === undefined) throw new AwoooiError("not_found", `There is no live token ${token_id}.`);
    record(tx, { action: "access.revoked", subject: token_id, data: { keep_signatures } });
  });
}

/** Renames people who are called like a part of the system: from before such names were refused, or imported. */
async function renameSystemNames(tx: Ctx): Promise<void> {
  for (const { person_id, name } of await peopleNames(tx)) {
    // With the person's id appended it cannot be mistaken for the system's, and no other person can get it.
    if (!isSystemName(name) || name.endsWith(` ${person_id}`)) continue;
    const renamed = `${name} ${person_id}`;
    await renamePerson(tx, person_id, { name: renamed, key: personKey(renamed) });
    record(tx, { action: "access.renamed", subject: person_id, data: { from: name, to: renamed } });
  }
}

/**
 * Ensures that an admin can sign in: makes the configured admin token live and revokes one configured before; with
 * none configured and no live admin token, creates one and returns its secret, to be shown once. Else returns null.
 */
export async function ensureAdmin(ctx: Ctx, configured: string | undefined): Promise<string | null> {
  authorise(ctx.actor, "set up the admin", { people: "none", system: ["bootstrap"] });
  return transaction(ctx, async (tx) => {
    const hash = configured === undefined ? null : sha256(configured);
    await renameSystemNames(tx);
    const live = await liveAdminTokens(tx);
    const isConfigured = ({ created_by, created_by_kind: kind }: (typeof live)[number]) =>
      created_by === CONFIGURED && kind !== "person";
    for (const token of live.filter((one) => isConfigured(one) && one.hash !== hash)) {
      await revokeTokenRow(tx, token.token_id);
      record(tx, { action: "access.revoked", subject: token.token_id, data: { reason: CONFIGURED } });
    }
    const usable = live.filter((one) => !isConfigured(one) || one.hash === hash);
    if (configured === undefined ? usable.length > 0 : usable.some((one) => one.hash === hash)) return null;
    const { person_id } = await ensurePerson(tx, personKey(ADMIN), ADMIN);
    const secret = configured ?? newSecret(tx);
    const created_by = configured === undefined ? FIRST_START : CONFIGURED;
    const token = {
      person_id,
      name: ADMIN,
      role: "admin" as const,
      hash: sha256(secret),
      created_by,
      created_by_kind: tx.actor.kind,
    };
    const token_id = await insertToken(tx, token);
    record(tx, { action: "access.created", subject: token_id, data: { person: ADMIN, created_by } });
    return configured === undefined ? secret : null;
  });
}
