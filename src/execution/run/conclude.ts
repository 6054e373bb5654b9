import { authorise } from "../../access/index.ts";
import { record } from "../../audit/index.ts";
import type { Verification } from "../../contract/execution.ts";
import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { note } from "../../incident/index.ts";
import { notify } from "../../outbox/index.ts";
import { ended, endOpenAttempts, lockExecution, updateExecution } from "../store.ts";
import type { ExecutionRow } from "../types.ts";
import { operationLogRow, storableError } from "./log-entry.ts";

/**
 * Ends an execution with the result of its verification (`null` for one that never acted) and returns it. Returns null
 * when it had already ended: an execution is concluded once.
 */
export async function concludeExecution(
  ctx: Ctx,
  input: { execution_id: string; verification: Verification | null; error?: string },
): Promise<ExecutionRow | null> {
  authorise(ctx.actor, "conclude executions", { people: "none", system: ["pipeline", "sweep"] });
  const { execution_id, verification, error } = input;
  return transaction(ctx, async (tx) => {
    const execution = await lockExecution(tx, execution_id);
    if (execution === undefined || ended(execution.status)) return null;
    const { incident_id } = execution;
    const status = verification?.result === "success" ? "success" : "failed";
    const concluded = await updateExecution(tx, execution_id, {
      status,
      verification,
      ended_at: tx.clock.now(),
      ...(error === undefined ? {} : { error: storableError(error) }),
    });
    await endOpenAttempts(tx, execution_id);
    if (verification !== null) {
      const text = `Verified: ${verification.result}, ${verification.reason}`;
      const data = { execution_id, ...verification, ...operationLogRow(execution, { status }) };
      note(tx, { incident_id, kind: "verification", text, data, event: "VERIFICATION_COMPLETED" });
    }
    record(tx, {
      action: "execution.ended",
      subject: execution_id,
      data: { incident_id, status, result: verification?.result, operation: execution.operation },
    });
    notify(tx, { topic: "execution.finished", incident_id, payload: { execution_id, status } });
    return concluded;
  });
}
