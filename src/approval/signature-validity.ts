import { roleAssignmentsOf } from "../access/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { invalidReason } from "./quorum.ts";
import { signaturesOf } from "./store.ts";
import type { ApprovalRow, Signature } from "./types.ts";

/** A signature, and why it does not count; null: it does. */
export type ValidatedSignature = Signature & { why_not: string | null };

/**
 * Returns the signatures of these approvals, each with why it does not count, judged by its person's tokens now or at
 * `asOf`. `hold` locks those tokens: none is revoked until the transaction ends.
 */
export async function validateSignatures(
  ctx: Ctx,
  approvals: readonly (Pick<ApprovalRow, "approval_id" | "plan_hash" | "plan"> & { asOf?: Date })[],
  options: { hold?: boolean } = {},
): Promise<Map<string, ValidatedSignature[]>> {
  const found = await signaturesOf(
    ctx,
    approvals.map((one) => one.approval_id),
  );
  const people = new Set([...found.values()].flat().map((one) => one.person_id));
  const tenures = await roleAssignmentsOf(ctx, [...people].sort(), options);
  const now = ctx.clock.now();
  return new Map(
    approvals.map(({ approval_id, plan_hash, plan, asOf = now }) => {
      const about = { plan_hash, risk: plan.risk_level, now: asOf };
      const judged = (found.get(approval_id) ?? []).map((one) => {
        const own = tenures.get(one.person_id) ?? [];
        return { ...one, why_not: invalidReason(one, { ...about, tenures: own }) };
      });
      return [approval_id, judged];
    }),
  );
}

/** Returns the signatures that count. */
export const validSignatures = (signatures: readonly ValidatedSignature[]): ValidatedSignature[] =>
  signatures.filter((one) => one.why_not === null);
