import { record } from "../audit/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { note } from "../incident/index.ts";
import { notify } from "../outbox/index.ts";
import { authoriseCall, type Call, whatStopsAll } from "./authorise.ts";
import { ownersIn } from "./before.ts";
import { auditCall } from "./gateway.ts";
import { keptError, logged } from "./log-entry.ts";
import type { Refusal } from "./refusals.ts";
import {
  countAhead,
  EVERY_TARGET,
  ended,
  lockExecution,
  lockTarget,
  updateExecution,
  wasSent,
} from "./store.ts";
import type { ExecutionRow, Executor, Gateway } from "./types.ts";

/** The call of the gateway that an execution is. */
export function callOf(execution: ExecutionRow): Omit<Call, "scope"> {
  const { caller, execution_id, approval_id, plan_hash, incident_id, operation, step, before } = execution;
  return {
    caller,
    incident_id,
    operation,
    run: { execution_id, approval_id, plan_hash, step, belongs_to: ownersIn(before) },
  };
}

/**
 * `busy`: so many go before it. `over`: it has ended, or another turn has it. `unsure`: no further attempt is allowed,
 * and an earlier one may have had an effect.
 */
export type Admitted =
  | { kind: "go"; executor: Executor; execution: ExecutionRow }
  | { kind: "busy"; ahead: number }
  | { kind: "refused" }
  | { kind: "unsure" }
  | { kind: "over" };

/**
 * Asks whether an execution may touch its target now, all gates included, in the transaction of `tx` and under the lock
 * that every act takes before it begins. What is asked is read after the lock, the configuration too: what was put in
 * force meanwhile holds.
 */
export async function admit(
  tx: Ctx,
  { execution_id, operation: { target } }: ExecutionRow,
  turn: number,
  gateway: Gateway,
): Promise<Admitted> {
  await gateway().assertLeader(tx);
  // Of two at once the second must count the first: that is what the rates are for.
  await lockTarget(tx, EVERY_TARGET);
  await lockTarget(tx, target);
  const execution = await lockExecution(tx, execution_id);
  if (execution === undefined || execution.turn !== turn) return { kind: "over" };
  // The sweep may have ended it a moment ago: it said so to people, and that stands.
  if (ended(execution.status)) return { kind: execution.status === "refused" ? "refused" : "over" };
  const ahead = await countAhead(tx, execution);
  if (ahead > 0) {
    // What was seen of the target is of before the others' acts: it is looked at again when the turn has come.
    if (execution.attempts === 0 && execution.before !== null)
      await updateExecution(tx, execution_id, { before: null, undo: null });
    return { kind: "busy", ahead };
  }
  // Whatever it is: the gate asks for the tool's own scope.
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
 * Whether a change that stands on no plan may begin now, as a person's own hand or the start of the server makes it: the
 * reason why not. Asked in the transaction that writes down that it begins, under the same lock as every act.
 */
export async function admitUnplanned(tx: Ctx, gateway: Gateway): Promise<Refusal | undefined> {
  await gateway().assertLeader(tx);
  await lockTarget(tx, EVERY_TARGET);
  return whatStopsAll(tx, gateway());
}

/**
 * Waits until nobody is in the middle of beginning an act: what was put in force before this is asked holds, when it
 * returns, for all that begins.
 */
export async function waitForBeginnings(ctx: Ctx): Promise<void> {
  await transaction(ctx, (tx) => lockTarget(tx, EVERY_TARGET));
}

/** Ends an execution that has not acted, for the reason of a gate. */
export async function refuseExecution(ctx: Ctx, execution_id: string, refusal: Refusal): Promise<void> {
  await transaction(ctx, async (tx) => {
    const execution = await lockExecution(tx, execution_id);
    if (execution === undefined || execution.attempts > 0 || ended(execution.status)) return;
    await close(tx, execution, refusal);
  });
}

const notDone = (execution: ExecutionRow, message: string) =>
  logged(execution, { status: "failed", attempts: execution.attempts, error: keptError(message) });

/** No further attempt is allowed, but an earlier one may have had an effect: that is verified. */
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
