import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { readyDecision } from "../decision/index.ts";
import { note } from "../incident/index.ts";
import { addSeconds } from "../lib/clock.ts";
import { redactedPlan } from "../operation/index.ts";
import { enqueue, notify } from "../outbox/index.ts";
import { fixedPlan, type Prepared, supersedeUnlessActive } from "./publish-plan.ts";
import { lockApproval, updateApproval } from "./store.ts";
import type { ApprovalTerms } from "./types.ts";

/** Prefix of `requested_by` for plans that policy approves; the decision's source follows it. */
const BY_POLICY = "auto_approve";

/**
 * Approves a prepared plan on the authority of policy alone and notifies people. The plan itself says so, which makes
 * its hash differ from any that a person signs. Does nothing unless the approval is still `preparing`.
 */
export async function approveByPolicy(
  ctx: Ctx,
  input: { approval_id: string; cold_start: boolean; reason: string } & Prepared,
  terms: ApprovalTerms,
): Promise<void> {
  authorise(ctx.actor, "approve by policy", { people: "none", system: ["pipeline"] });
  const { approval_id, cold_start, reason } = input;
  await transaction(ctx, async (tx) => {
    const approval = await lockApproval(tx, approval_id);
    if (approval?.status !== "preparing" || !(await supersedeUnlessActive(tx, approval))) return;
    const { incident_id, decision_token } = approval;
    const fixed = fixedPlan(approval, input, {
      required_signatures: 0,
      authority: "policy",
      ...(cold_start ? { cold_start } : {}),
    });
    const { plan, plan_hash, action } = fixed;
    const now = tx.clock.now();
    await updateApproval(tx, approval_id, {
      ...fixed,
      status: "approved",
      requested_by: `${BY_POLICY}:${approval.requested_by}`,
      requested_by_kind: "policy",
      decided_at: now,
      authority_until: addSeconds(now, terms.authority),
    });
    await readyDecision(tx, decision_token);
    const { playbook_id } = plan;
    const data = { approval_id, plan_hash, playbook_id, cold_start, reason };
    const text = `Automatic repair: ${action} (${reason})`;
    note(tx, { incident_id, kind: "approval", text, data, event: "AUTO_REPAIR_TRIGGERED" });
    const audited = { incident_id, plan: redactedPlan(plan), plan_hash, reason };
    record(tx, { action: "approval.approved_by_policy", subject: approval_id, data: audited });
    notify(tx, { topic: "approval.automatic", incident_id, payload: { approval_id } });
    enqueue(tx, { kind: "execute", incident_id, approval_id });
  });
}
