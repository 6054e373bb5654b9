import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { note } from "../incident/index.ts";
import { actorLabel } from "../lib/actor.ts";
import { AwoooiError } from "../lib/error.ts";
import { notify } from "../outbox/index.ts";
import { assertPending } from "./approve.ts";
import { signerRole } from "./quorum.ts";
import { isCarriedOut, lockApproval, updateApproval } from "./store.ts";
import type { ApprovalRow } from "./types.ts";

/** Returns whether a plan that policy approved has unfinished executions, so that a rejection can stop further steps. */
async function mayBeStopped(tx: Ctx, { approval_id, status, plan }: ApprovalRow): Promise<boolean> {
  return status === "approved" && plan.authority === "policy" && !(await isCarriedOut(tx, approval_id));
}

/**
 * Rejects a plan, for a reason that is stored. One person who may sign it suffices. A plan that policy approved can be
 * rejected while it runs: an act that has begun goes on to its end, and no further one begins.
 */
export async function reject(ctx: Ctx, input: { approval_id: string; reason: string }): Promise<ApprovalRow> {
  authorise(ctx.actor, "reject", { people: "responder" });
  const { approval_id, reason } = input;
  return transaction(ctx, async (tx) => {
    const approval = await lockApproval(tx, approval_id);
    if (approval === undefined) throw new AwoooiError("not_found", `There is no approval ${approval_id}.`);
    const { risk_level } = approval.plan;
    authorise(tx.actor, `reject plans of ${risk_level} risk`, { people: signerRole(risk_level) });
    if (!(await mayBeStopped(tx, approval))) assertPending(approval, tx.clock.now());
    const { incident_id } = approval;
    note(tx, {
      incident_id,
      kind: "approval",
      text: `Rejected by ${actorLabel(tx.actor)}: ${reason}`,
      data: { approval_id },
    });
    record(tx, { action: "approval.rejected", subject: approval_id, data: { incident_id, reason } });
    notify(tx, { topic: "approval.rejected", incident_id, payload: { approval_id, reason } });
    return updateApproval(tx, approval_id, {
      status: "rejected",
      reject_reason: reason,
      decided_at: tx.clock.now(),
    });
  });
}
