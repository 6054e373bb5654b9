import { record } from "../../audit/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { note } from "../../incident/index.ts";
import { notify } from "../../outbox/index.ts";
import { ownersInSnapshot } from "../plan/owners-in-snapshot.ts";
import { operationLogRow, storableError } from "../run/log-entry.ts";
import {
  countAhead,
  EVERY_TARGET,
  ended,
  lockExecution,
  lockTarget,
  updateExecution,
  wasSent,
} from "../store.ts";
import type { ExecutionRow, Executor, Gateway } from "../types.ts";
import { authoriseCall, type Call, whatStopsAll } from "./authorise.ts";
import { auditCall } from "./gateway.ts";
import type { Refusal } from "./refusals.ts";

/** Returns the gateway call that an execution makes, without its scope. */
export function callOf(execution: ExecutionRow): Omit<Call, "scope"> {
  const { caller, execution_id, approval_id, plan_hash, incident_id, operation, step, before } = execution;
  return {
    caller,
    incident_id,
    operation,
    run: { execution_id, approval_id, plan_hash, step, belongs_to: ownersInSnapshot(before) },
  };
}

/**
 * `busy`: `ahead` others go before it on its target. `over`: it has ended or belongs to another turn. `unsure`: no
 * further attempt is allowed, and an earlier one may have had an effect.
 */
export type Admitted =
  | { kind: "go"; executor: Executor; execution: ExecutionRow }
  | { kind: "busy"; ahead: number }
  | { kind: "refused" }
  | { kind: "unsure" }
  | { kind: "over" };

/**
 * Decides whether an execution may touch its target now: checks its turn, the queue of its target and all gates, in the
 * transaction `tx` and under the lock that every act takes before it begins. State and configuration are read after the
 * lock is taken, so changes made meanwhile apply.
 */
export async function admit(
  tx: Ctx,
  { execution_id, operation: { target } }: ExecutionRow,
  turn: number,
  gateway: Gateway,
): Promise<Admitted> {
  await gateway().assertLeader(tx);
  // Serialises the beginnings of acts: otherwise two at once would not count each other in the hourly rates.
  await lockTarget(tx, EVERY_TARGET);
  await lockTarget(tx, target);
  const execution = await lockExecution(tx, execution_id);
  if (execution === undefined || execution.turn !== turn) return { kind: "over" };
  // The sweep may just have ended it and notified people of that: it stays ended.
  if (ended(execution.status)) return { kind: execution.status === "refused" ? "refused" : "over" };
  const ahead = await countAhead(tx, execution);
  if (ahead > 0) {
    // The snapshot predates the acts of those ahead: it is dropped and taken again when the execution may act.
    if (execution.attempts === 0 && execution.before !== null)
      await updateExecution(tx, execution_id, { before: null, undo: null });
    return { kind: "busy", ahead };
  }
  // `write` for every operation: gate 3 checks the tool's own scope.
  const admission = await authoriseCall(tx, gateway(), { ...callOf(execution), scope: "write" });
  if (admission.ok) return { kind: "go", executor: admission.executor, execution };
  if (await wasSent(tx, execution_id)) {
    await stopShort(tx, execution, admission.refusal);
    return { kind: "unsure" };
  }
  await close(tx, execution, admission.refusal);
  return { kind: "refused" };
}

/**
 * Returns why a change without a plan (made by a person directly or at the server's start) may not begin now, if so.
 * Call it in the transaction that stores its beginning; it takes the same lock as every act.
 */
export async function admitUnplanned(tx: Ctx, gateway: Gateway): Promise<Refusal | undefined> {
  await gateway().assertLeader(tx);
  await lockTarget(tx, EVERY_TARGET);
  return whatStopsAll(tx, gateway());
}

/**
 * Waits until no act is in the middle of beginning: settings put in force before the call apply to every act that
 * begins after it returns.
 */
export async function waitForStartingActs(ctx: Ctx): Promise<void> {
  await transaction(ctx, (tx) => lockTarget(tx, EVERY_TARGET));
}

/** Ends an execution that has not acted yet as refused, with the gate's reason. */
export async function refuseExecution(ctx: Ctx, execution_id: string, refusal: Refusal): Promise<void> {
  await transaction(ctx, async (tx) => {
    const execution = await lockExecution(tx, execution_id);
    if (execution === undefined || execution.attempts > 0 || ended(execution.status)) return;
    await close(tx, execution, refusal);
  });
}

const notDone = (execution: ExecutionRow, message: string) =>
  operationLogRow(execution, {
    status: "failed",
    attempts: execution.attempts,
    error: storableError(message),
  });

/** Stops further attempts and moves on to verification, because an earlier attempt may have had an effect. */
async function stopShort(tx: Ctx, execution: ExecutionRow, refusal: Refusal): Promise<void> {
  const { execution_id, incident_id } = execution;
  const { gate, code, message } = refusal;
  await updateExecution(tx, execution_id, { status: "verifying", error: message, error_code: code });
  const text = `No further attempt: ${message}`;
  const data = { execution_id, gate, code, ...notDone(execution, message) };
  note(tx, { incident_id, kind: "execution", text, data, event: "GUARDRAIL_BLOCKED" });
  await auditCall(tx, callOf(execution), { what: "act", outcome: "refused", gate, code });
}

async function close(tx: Ctx, execution: ExecutionRow, refusal: Refusal): Promise<void> {
  const { execution_id, incident_id } = execution;
  const { gate, code, message } = refusal;
  await updateExecution(tx, execution_id, {
    status: "refused",
    error: message,
    error_code: code,
    ended_at: tx.clock.now(),
  });
  note(tx, {
    incident_id,
    kind: "execution",
    text: `Refused: ${message}`,
    data: { execution_id, gate, code, ...notDone(execution, message) },
    event: "GUARDRAIL_BLOCKED",
  });
  const { operation } = execution;
  const data = { incident_id, status: "refused", operation };
  record(tx, { action: "execution.ended", subject: execution_id, data });
  await auditCall(tx, callOf(execution), { what: "act", outcome: "refused", gate, code });
  notify(tx, {
    topic: "execution.finished",
    incident_id,
    payload: { execution_id, status: "refused" },
  });
}
