import { approvalKeys } from "../approval/index.ts";
import type { Decision } from "../contract/decision.ts";
import type { Ctx } from "../db/ctx.ts";
import { type DecisionRow, presentDecision as presentRow } from "../decision/index.ts";
import { executionsOfApprovals } from "../execution/index.ts";

/** Converts a decision to its wire form, with the state that follows from its execution. */
export async function presentDecision(ctx: Ctx, row: DecisionRow): Promise<Decision> {
  const { incident_id, token } = row;
  const approvals = (await approvalKeys(ctx, [incident_id])).get(incident_id);
  const own = approvals?.find((one) => one.decision_token === token);
  const acted = own && (await executionsOfApprovals(ctx, [own.approval_id])).get(own.approval_id);
  return presentRow(row, acted?.status ?? null);
}
