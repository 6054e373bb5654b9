import { authorise } from "../../access/index.ts";
import { findApproval } from "../../approval/index.ts";
import { record } from "../../audit/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { note } from "../../incident/index.ts";
import { inWords, stepsOf } from "../../operation/index.ts";
import { callOf } from "../gate/admit.ts";
import { readThroughGateway } from "../gate/gateway.ts";
import { ended, findExecution, hasSucceeded, lockExecution, updateExecution } from "../store.ts";
import type { ExecutionRow, RunOptions } from "../types.ts";
import { createExecution } from "./begin.ts";

/** Returns whether a step succeeded: by its attempts' outcome or, where that is not known, by the executor's `effect`. */
async function hasWorked(ctx: Ctx, execution: ExecutionRow, options: RunOptions): Promise<boolean> {
  const { execution_id, operation, attempts, before } = execution;
  if (await hasSucceeded(ctx, execution_id)) return true;
  const run = { execution_id, attempt: attempts, before: before ?? {} };
  const seen = await readThroughGateway(ctx, options.gateway, callOf(execution), "effect", (executor) =>
    executor.effect(operation, run),
  );
  return seen.ok && seen.value === "done";
}

/**
 * Ends a step that others follow. It is judged by its own act, as only the last step is verified. Returns true when it
 * succeeded: the next step's execution is created in the same transaction, so that a crash does not lose it. False leaves
 * the step open, to be concluded as the one that stopped the plan. Idempotent.
 */
export async function endStep(ctx: Ctx, execution_id: string, options: RunOptions): Promise<boolean> {
  authorise(ctx.actor, "end steps", { people: "none", system: ["pipeline"] });
  const execution = await findExecution(ctx, execution_id);
  if (execution === undefined) throw new Error(`there is no execution ${execution_id}`);
  if (ended(execution.status)) return execution.status === "success";
  const worked = await hasWorked(ctx, execution, options);
  return transaction(ctx, async (tx) => {
    const locked = await lockExecution(tx, execution_id);
    if (locked === undefined || ended(locked.status)) return locked?.status === "success";
    if (!worked) return false;
    const { approval_id, incident_id, step, operation, turn } = locked;
    const approval = await findApproval(tx, approval_id);
    if (approval === undefined) throw new Error(`${execution_id} has no approval`);
    await updateExecution(tx, execution_id, { status: "success", ended_at: tx.clock.now(), error: null });
    const steps = stepsOf(approval.plan).length;
    const text = `Step ${step} of ${steps} is done: ${inWords(operation)}`;
    note(tx, { incident_id, kind: "execution", text, data: { execution_id, step, steps } });
    const data = { incident_id, status: "success", step, steps, operation };
    record(tx, { action: "execution.ended", subject: execution_id, data });
    await createExecution(tx, approval, { step: step + 1, turn }, options);
    return true;
  });
}
