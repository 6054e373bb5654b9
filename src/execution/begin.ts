import { authorise } from "../access/index.ts";
import { beginApproval } from "../approval/index.ts";
import { record } from "../audit/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { note } from "../incident/index.ts";
import { addSeconds } from "../lib/clock.ts";
import { prefixedId } from "../lib/id.ts";
import { ensureExecution, updateExecution } from "./store.ts";
import type { ExecutionRow, RunOptions, Undo } from "./types.ts";

/**
 * The operation's row from before the act. Called again for the same approval it returns the one that is
 * there: an approval is carried out once.
 */
export async function beginExecution(
  ctx: Ctx,
  approval_id: string,
  options: RunOptions,
): Promise<ExecutionRow> {
  authorise(ctx.actor, "begin executions", { people: "nobody", system: ["pipeline"] });
  return transaction(ctx, async (tx) => {
    const { incident_id, plan, plan_hash, requested_by } = await beginApproval(tx, approval_id);
    const now = tx.clock.now();
    const execution_id = prefixedId("EXE", tx.random);
    const execution = await ensureExecution(tx, {
      execution_id,
      incident_id,
      approval_id,
      operation: plan.operation,
      plan_hash,
      undoes: plan.undoes ?? null,
      caller: requested_by.startsWith("auto_approve") ? "auto_repair" : "approval_executor",
      status: "pending",
      created_at: now,
      deadline: addSeconds(now, options.deadline),
    });
    if (execution.execution_id === execution_id) {
      record(tx, { action: "execution.created", subject: execution_id, data: { incident_id, approval_id } });
    }
    return execution;
  });
}

/** Keeps what was there before the act, and what would take it back; the first that is kept stays. */
export async function keepBefore(
  ctx: Ctx,
  execution: ExecutionRow,
  before: Record<string, unknown>,
  undo: Undo | null,
): Promise<ExecutionRow> {
  authorise(ctx.actor, "keep snapshots", { people: "nobody", system: ["pipeline"] });
  if (execution.before !== null) return execution;
  const { incident_id, execution_id } = execution;
  return transaction(ctx, async (tx) => {
    note(tx, {
      incident_id,
      kind: "execution",
      text: "Looked at the target before acting",
      data: before,
    });
    return updateExecution(tx, execution_id, { before, undo });
  });
}
