import { authorise } from "../../access/index.ts";
import { type ApprovalRow, beginApproval } from "../../approval/index.ts";
import { record } from "../../audit/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { note } from "../../incident/index.ts";
import { addSeconds } from "../../lib/clock.ts";
import { prefixedId } from "../../lib/id.ts";
import { stepsOf } from "../../operation/index.ts";
import { ensureExecution, lockLatest, updateExecution } from "../store.ts";
import type { ExecutionRow, RunOptions, Undo } from "../types.ts";

/** Inserts the execution of a step, or returns the existing one: a step is carried out once. */
export async function createExecution(
  tx: Ctx,
  { approval_id, incident_id, plan, plan_hash }: ApprovalRow,
  { step, turn }: { step: number; turn: number },
  options: Pick<RunOptions, "deadline">,
): Promise<ExecutionRow> {
  const operation = stepsOf(plan)[step - 1];
  if (operation === undefined) throw new Error(`${approval_id} has no step ${step}`);
  const now = tx.clock.now();
  const execution_id = prefixedId("EXE", tx.random);
  const execution = await ensureExecution(tx, {
    execution_id,
    incident_id,
    approval_id,
    step,
    turn,
    operation,
    plan_hash,
    undoes: plan.undoes ?? null,
    caller: plan.authority === "policy" ? "auto_repair" : "approval_executor",
    status: "pending",
    created_at: now,
    deadline: addSeconds(now, options.deadline),
  });
  const data = { incident_id, approval_id, step };
  if (execution.execution_id === execution_id)
    record(tx, { action: "execution.created", subject: execution_id, data });
  return execution;
}

/**
 * Returns the execution of the plan's current step, and the number of steps. The first step's is created here, later
 * ones when the step before has succeeded. It now belongs to `turn`, unless its row names a later turn.
 */
export async function beginExecution(
  ctx: Ctx,
  approval_id: string,
  options: Pick<RunOptions, "deadline">,
  turn = 0,
): Promise<ExecutionRow & { steps: number }> {
  authorise(ctx.actor, "begin executions", { people: "none", system: ["pipeline"] });
  return transaction(ctx, async (tx) => {
    const approval = await beginApproval(tx, approval_id);
    const steps = stepsOf(approval.plan).length;
    const execution =
      (await lockLatest(tx, approval_id)) ??
      (await createExecution(tx, approval, { step: 1, turn }, options));
    const begun =
      execution.turn < turn ? await updateExecution(tx, execution.execution_id, { turn }) : execution;
    return { ...begun, steps };
  });
}

/** Stores the snapshot from before the act and its undo. A snapshot that is already stored stays. */
export async function storeSnapshot(
  ctx: Ctx,
  execution: ExecutionRow,
  before: Record<string, unknown>,
  undo: Undo | null,
): Promise<ExecutionRow> {
  authorise(ctx.actor, "store snapshots", { people: "none", system: ["pipeline"] });
  if (execution.before !== null) return execution;
  const { incident_id, execution_id } = execution;
  return transaction(ctx, async (tx) => {
    note(tx, {
      incident_id,
      kind: "execution",
      text: "Recorded the state of the target before acting",
      data: before,
    });
    return updateExecution(tx, execution_id, { before, undo });
  });
}
