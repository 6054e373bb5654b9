import { hasRole, type RoleAssignment, standingOf } from "../access/index.ts";
import type { Risk } from "../contract/common.ts";
import type { Role } from "../lib/actor.ts";
import type { Signature } from "./types.ts";

/** Returns the lowest role that may sign a plan of this risk: responder for low, approver for all others. */
export function signerRole(risk: Risk): Role {
  return risk === "low" ? "responder" : "approver";
}

type CountedSignature = Pick<Signature, "person_id" | "plan_hash"> & { role: string };

/**
 * Counts the distinct people who have signed exactly this plan with a sufficient role. One person counts once,
 * whatever the number of tokens or signatures; signatures of another plan do not count.
 */
export function countSigners(signatures: readonly CountedSignature[], plan_hash: string, risk: Risk): number {
  const valid = signatures.filter(
    (one) => one.plan_hash === plan_hash && hasRole(one.role as Role, signerRole(risk)),
  );
  return new Set(valid.map((one) => one.person_id)).size;
}

type DatedSignature = CountedSignature & Pick<Signature, "at">;

/** Returns why a signature does not count at `now`; null: it does. Pure. */
export function invalidReason(
  signature: DatedSignature,
  {
    plan_hash,
    risk,
    tenures,
    now,
  }: { plan_hash: string; risk: Risk; tenures: readonly RoleAssignment[]; now: Date },
): string | null {
  const least = signerRole(risk);
  if (signature.plan_hash !== plan_hash) return "it is for another plan";
  if (!hasRole(signature.role as Role, least)) return `the role ${signature.role} may not sign this`;
  const standing = standingOf(tenures, least, signature.at, now);
  return standing.stands ? null : standing.why;
}
