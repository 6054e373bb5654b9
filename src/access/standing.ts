import type { Ctx } from "../db/ctx.ts";
import type { Role } from "../lib/actor.ts";
import { hasRole } from "./authorise.ts";
import { tokensOfPeople } from "./store.ts";

/** From when to when a token gave its person a role. */
export type Tenure = {
  role: Role;
  from: Date;
  /** null: it is live. */
  until: Date | null;
  /** Revoked, with what its person had signed left in force. */
  keeps_signatures: boolean;
};

// What a clock may be corrected by between the making of a token and what is signed with it.
const CLOCK_SLACK_MS = 60_000;

export type Standing = { stands: true } | { stands: false; why: string };

/**
 * Whether a person who acted at `since` still is somebody of at least this role at `now`, and has been without a
 * break: where all their tokens of it were revoked, a new one restores nothing, for the old ones may have been stolen;
 * one that was made before the last was revoked, as when tokens are changed, carries on. What a token gave that was
 * revoked with its signatures kept, stays, until another of theirs is revoked without. Pure.
 */
export function standingOf(tenures: readonly Tenure[], least: Role, since: Date, now: Date): Standing {
  const able = tenures.filter(({ role }) => hasRole(role, least));
  const keeps = ({ keeps_signatures, until }: Tenure) => keeps_signatures && until !== null && until >= since;
  const plain = able.filter((one) => !one.keeps_signatures).flatMap(({ until }) => until ?? []);
  const isKept = (one: Tenure, at: Date) =>
    keeps(one) && !plain.some((end) => one.until !== null && end > one.until && end <= at);
  const isLive = (one: Tenure, at: Date) => one.until === null || one.until > at || isKept(one, at);
  const ends = able.flatMap(({ until }) => (until !== null && until >= since && until <= now ? until : []));
  const carriedOn = (end: Date) => able.some((one) => one.from <= end && isLive(one, end));
  if (!able.some((one) => isLive(one, now))) return lost(tenures, least, now);
  // A configured token that comes back is a new one: nothing of theirs from before it stands.
  const had = able.some(
    (one) => one.from.getTime() <= since.getTime() + CLOCK_SLACK_MS && isLive(one, since),
  );
  if (had && ends.every(carriedOn)) return { stands: true };
  return { stands: false, why: "every token of theirs was revoked since they signed" };
}

function lost(tenures: readonly Tenure[], least: Role, now: Date): Standing {
  const lower = tenures.some(({ until }) => until === null || until > now);
  const why = lower ? `they have no token of the role ${least} any more` : "every token of theirs is revoked";
  return { stands: false, why };
}

/**
 * What tokens these people have had. With `hold` none of them is revoked until the transaction ends: who revokes one
 * at this moment is before it or after it.
 */
export async function tenuresOf(
  ctx: Ctx,
  person_ids: readonly string[],
  { hold = false }: { hold?: boolean } = {},
): Promise<Map<string, Tenure[]>> {
  const found = new Map<string, Tenure[]>(person_ids.map((id) => [id, []]));
  if (person_ids.length === 0) return found;
  for (const {
    person_id,
    role,
    created_at: from,
    revoked_at: until,
    keeps_signatures,
  } of await tokensOfPeople(ctx, person_ids, hold))
    found.get(person_id)?.push({ role, from, until, keeps_signatures });
  return found;
}
