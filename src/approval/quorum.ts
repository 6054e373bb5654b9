import { hasRole, standingOf, type Tenure } from "../access/index.ts";
import type { Risk } from "../contract/common.ts";
import type { Role } from "../lib/actor.ts";
import type { Signature } from "./types.ts";

/** The least role that may sign for a risk: low ones are a responder's, all others an approver's. */
export function signerRole(risk: Risk): Role {
  return risk === "low" ? "responder" : "approver";
}

type Counted = Pick<Signature, "person_id" | "plan_hash"> & { role: string };

/**
 * How many distinct people have signed this very plan with a role that may. One person counts once,
 * whatever the number of tokens or signatures; a signature of another plan counts for nothing.
 */
export function countSigners(signatures: readonly Counted[], plan_hash: string, risk: Risk): number {
  const valid = signatures.filter(
    (one) => one.plan_hash === plan_hash && hasRole(one.role as Role, signerRole(risk)),
  );
  return new Set(valid.map((one) => one.person_id)).size;
}

type Held = Counted & Pick<Signature, "at">;

/** Why a signature does not count as things are at `now`; null: it does. Pure. */
export function whyNot(
  signature: Held,
  { plan_hash, risk, tenures, now }: { plan_hash: string; risk: Risk; tenures: readonly Tenure[]; now: Date },
): string | null {
  const least = signerRole(risk);
  if (signature.plan_hash !== plan_hash) return "it is of another plan";
  if (!hasRole(signature.role as Role, least)) return `the role ${signature.role} may not sign this`;
  const standing = standingOf(tenures, least, signature.at, now);
  return standing.stands ? null : standing.why;
}
