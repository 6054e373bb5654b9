import { openApprovalOf, requestApproval, withStandingPlan } from "../../approval/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { decideUndo } from "../../decision/index.ts";
import { incidentsInExecution, mayUndo } from "../../execution/index.ts";
import { reopen } from "../../incident/index.ts";
import { AwoooiError } from "../../lib/error.ts";
import type { PipelineDeps } from "../types.ts";

const conflict = (text: string) => new AwoooiError("conflict", text);

/**
 * Plans the undo of an execution and requests approval for it, as for any other plan. Reopens the incident where it is
 * over. Returns the approval's id. Throws `not_found`, `conflict`, `forbidden`.
 */
export async function requestUndo(
  ctx: Ctx,
  input: { execution_id: string; comment?: string | undefined },
  deps: Pick<PipelineDeps, "decide" | "approval">,
): Promise<string> {
  const { execution_id, comment } = input;
  return transaction(ctx, async (tx) => {
    const { execution, operation, leaves } = await mayUndo(tx, execution_id);
    const { incident_id } = execution;
    const why = `to undo ${execution_id}${comment === undefined ? "" : ` (${comment})`}`;
    const incident = await reopen(tx, { incident_id, comment: why });
    const open = await openApprovalOf(tx, incident_id);
    if (open !== undefined) {
      throw conflict(`${open.approval_id} is pending (${open.action}): sign or reject it first.`);
    }
    const signed = await withStandingPlan(tx, [incident_id]);
    if (signed.has(incident_id) || (await incidentsInExecution(tx, [incident_id])).has(incident_id)) {
      throw conflict(`A plan for ${incident_id} is being carried out: wait until it has ended.`);
    }
    const about = { incident, operation, undoes: execution_id, leaves };
    const decision = await decideUndo(tx, about, deps.decide);
    if (decision.policy.outcome !== "ask") throw conflict(`It cannot be undone: ${decision.policy.reason}.`);
    const asked = await requestApproval(tx, { incident, decision, undoes: execution_id }, deps.approval);
    return asked.approval_id;
  });
}
