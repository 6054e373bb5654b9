import type { Ctx } from "../db/ctx.ts";
import type { Role } from "../lib/actor.ts";
import { hasRole } from "./authorise.ts";
import { tokensOfPeople } from "./store.ts";

/** The time for which a token gave its person a role. */
export type RoleAssignment = {
  role: Role;
  from: Date;
  /** null: the token is live. */
  until: Date | null;
  /** It was revoked, and its person's signatures stay valid. */
  keeps_signatures: boolean;
};

// A clock correction of up to this much, between creating a token and signing with it, is tolerated.
const CLOCK_SLACK_MS = 60_000;

export type SignatureStanding = { stands: true } | { stands: false; why: string };

/**
 * Returns whether a person who acted at `since` has had at least the role `least` without a break until `now`. Once all
 * their tokens of it were revoked, a new one restores nothing, because the old ones may have been stolen; one created
 * before the last was revoked (a rotation) carries on. A token revoked with its signatures kept still counts, until
 * another token of the person is revoked without keeping them. Pure.
 */
export function standingOf(
  tenures: readonly RoleAssignment[],
  least: Role,
  since: Date,
  now: Date,
): SignatureStanding {
  const able = tenures.filter(({ role }) => hasRole(role, least));
  const keeps = ({ keeps_signatures, until }: RoleAssignment) =>
    keeps_signatures && until !== null && until >= since;
  const plain = able.filter((one) => !one.keeps_signatures).flatMap(({ until }) => until ?? []);
  const isKept = (one: RoleAssignment, at: Date) =>
    keeps(one) && !plain.some((end) => one.until !== null && end > one.until && end <= at);
  const isLive = (one: RoleAssignment, at: Date) => one.until === null || one.until > at || isKept(one, at);
  const ends = able.flatMap(({ until }) => (until !== null && until >= since && until <= now ? until : []));
  const carriedOn = (end: Date) => able.some((one) => one.from <= end && isLive(one, end));
  if (!able.some((one) => isLive(one, now))) return lostRole(tenures, least, now);
  // A configured token that comes back counts as new: what was signed before that no longer stands.
  const had = able.some(
    (one) => one.from.getTime() <= since.getTime() + CLOCK_SLACK_MS && isLive(one, since),
  );
  if (had && ends.every(carriedOn)) return { stands: true };
  return { stands: false, why: "all their tokens were revoked after they signed" };
}

function lostRole(tenures: readonly RoleAssignment[], least: Role, now: Date): SignatureStanding {
  const lower = tenures.some(({ until }) => until === null || until > now);
  const why = lower ? `they no longer have a token of the role ${least}` : "all their tokens are revoked";
  return { stands: false, why };
}

/**
 * Returns the tenures of these people's tokens, by person. `hold` locks the tokens: a concurrent revocation commits
 * before this read or waits until the transaction ends.
 */
export async function roleAssignmentsOf(
  ctx: Ctx,
  person_ids: readonly string[],
  { hold = false }: { hold?: boolean } = {},
): Promise<Map<string, RoleAssignment[]>> {
  const found = new Map<string, RoleAssignment[]>(person_ids.map((id) => [id, []]));
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
