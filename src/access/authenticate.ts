import type { Ctx } from "../db/ctx.ts";
import type { Actor } from "../lib/actor.ts";
import { sha256 } from "../lib/canonical-json.ts";
import { AwoooiError } from "../lib/error.ts";
import { findLiveToken } from "./store.ts";

const BEARER = /^Bearer +(\S+)$/i;

/** Returns the person of an `Authorization` header; throws `unauthenticated`. Needs no authorisation itself. */
export async function authenticate(ctx: Ctx, header: string | undefined): Promise<Actor> {
  if (header === undefined) {
    throw new AwoooiError("unauthenticated", "Send the header `Authorization: Bearer TOKEN`.");
  }
  const secret = BEARER.exec(header)?.[1];
  if (secret === undefined) {
    throw new AwoooiError("unauthenticated", "The Authorization header is not of the form `Bearer TOKEN`.");
  }
  // The look-up is by hash, so its timing reveals nothing about the token.
  const token = await findLiveToken(ctx, sha256(secret));
  if (token === undefined) throw new AwoooiError("unauthenticated", "This token is unknown or was revoked.");
  const { person_id, person, role, token_id } = token;
  return { kind: "person", person_id, name: person, role, token_id };
}
