import { authorise } from "../../access/index.ts";
import { record } from "../../audit/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { note } from "../../incident/index.ts";
import { AwoooiError } from "../../lib/error.ts";
import type { Operation } from "../../operation/index.ts";
import { operationLogRow } from "../run/log-entry.ts";
import { ended, hasSucceeded, lockExecution, updateExecution } from "../store.ts";
import type { ExecutionRow } from "../types.ts";

/**
 * Returns the operation that undoes an execution, for the transaction that requests its approval. Throws `not_found`,
 * and `conflict` where there is nothing to undo or no way to undo it.
 */
export async function mayUndo(
  ctx: Ctx,
  execution_id: string,
): Promise<{ execution: ExecutionRow; operation: Operation; leaves: string | null }> {
  authorise(ctx.actor, "undo executions", { people: "responder" });
  const execution = await lockExecution(ctx, execution_id);
  if (execution === undefined) throw new AwoooiError("not_found", `There is no execution ${execution_id}.`);
  const { status, attempts, undo, undone_by } = execution;
  const conflict = (text: string) => new AwoooiError("conflict", text);
  if (!ended(status)) throw conflict(`${execution_id} is still running.`);
  if (attempts === 0) throw conflict(`${execution_id} changed nothing: it was never carried out.`);
  if (undone_by !== null) throw conflict(`${execution_id} was already undone by ${undone_by}.`);
  if (undo === null) throw conflict(`The state before ${execution_id} is unknown: undo it by hand.`);
  if (!undo.ok) throw conflict(`${execution_id} cannot be undone: ${undo.reason}.`);
  return { execution, operation: undo.operation, leaves: undo.leaves };
}

/**
 * Marks the execution that `execution` has undone, and returns its id; null where `execution` was no undo or did not
 * succeed, or the other was marked already.
 */
export async function markUndone(ctx: Ctx, execution: ExecutionRow): Promise<string | null> {
  authorise(ctx.actor, "mark executions as undone", { people: "none", system: ["pipeline", "sweep"] });
  const { undoes, execution_id, incident_id, status } = execution;
  if (undoes === null || !(status === "success" || (await hasSucceeded(ctx, execution_id)))) return null;
  const undone = await lockExecution(ctx, undoes);
  if (undone === undefined || undone.undone_by !== null) return null;
  await updateExecution(ctx, undoes, { undone_by: execution_id });
  const text = `${undoes} was undone by ${execution_id}`;
  const row = operationLogRow(undone, { status: "rolled_back", attempts: undone.attempts });
  const data = { execution_id, undoes, ...row };
  note(ctx, { incident_id, kind: "execution", text, event: "ROLLED_BACK", data });
  record(ctx, { action: "execution.undone", subject: undoes, data: { incident_id, by: execution_id } });
  return undoes;
}
