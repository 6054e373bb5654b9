import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { readyDecision } from "../decision/index.ts";
import { note } from "../incident/index.ts";
import { addSeconds } from "../lib/clock.ts";
import { type Plan, planHash, shownPlan, stepsInWords, stepsOf } from "../operation/index.ts";
import { enqueue, tell } from "../outbox/index.ts";
import { filledIn, foundOf, type Prepared, stillWanted } from "./present.ts";
import { lockApproval, updateApproval } from "./store.ts";
import type { ApprovalTerms } from "./types.ts";

/** Who asked for what policy allows; what follows is the decision's source. */
export const BY_POLICY = "auto_approve";

/**
 * Lets a prepared plan run on the authority of policy alone, and tells people that it does: the plan says so, so
 * that its hash is one that nobody signed. Does nothing unless it is still preparing.
 */
export async function approveByPolicy(
  ctx: Ctx,
  input: { approval_id: string; cold_start: boolean; reason: string } & Prepared,
  terms: ApprovalTerms,
): Promise<void> {
  authorise(ctx.actor, "approve by policy", { people: "nobody", system: ["pipeline"] });
  const { approval_id, cold_start, reason } = input;
  await transaction(ctx, async (tx) => {
    const approval = await lockApproval(tx, approval_id);
    if (approval?.status !== "preparing" || !(await stillWanted(tx, approval))) return;
    const { incident_id, decision_token, blast_radius } = approval;
    const { checks, diff = null, affected_pods = 0, operations = [] } = foundOf(approval, input);
    const plan: Plan = {
      ...filledIn(approval.plan, { operations }),
      required_signatures: 0,
      authority: "policy",
      ...(cold_start ? { cold_start } : {}),
    };
    const plan_hash = planHash(plan);
    const action = stepsInWords(stepsOf(plan));
    const now = tx.clock.now();
    await updateApproval(tx, approval_id, {
      status: "approved",
      plan,
      plan_hash,
      action,
      dry_run_checks: [...checks],
      diff,
      blast_radius: { ...blast_radius, affected_pods },
      requested_by: `${BY_POLICY}:${approval.requested_by}`,
      decided_at: now,
      authority_until: addSeconds(now, terms.authority),
    });
    await readyDecision(tx, decision_token);
    const { playbook_id } = plan;
    const data = { approval_id, plan_hash, playbook_id, cold_start, reason };
    const text = `Repaired by itself: ${action} (${reason})`;
    note(tx, { incident_id, kind: "approval", text, data, event: "AUTO_REPAIR_TRIGGERED" });
    const audited = { incident_id, plan: shownPlan(plan), plan_hash, reason };
    record(tx, { action: "approval.approved_by_policy", subject: approval_id, data: audited });
    tell(tx, { topic: "approval.automatic", incident_id, payload: { approval_id } });
    enqueue(tx, { kind: "execute", incident_id, approval_id });
  });
}
