import { authorise } from "../../access/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { enqueue, type QueuedWork } from "../../outbox/index.ts";
import { admit } from "../gate/admit.ts";
import { findExecution, lockLatest, updateExecution } from "../store.ts";
import type { RunOptions } from "../types.ts";
import { queueWait } from "./attempt.ts";

type QueueTurn = Pick<Extract<QueuedWork, { kind: "verify" }>, "incident_id" | "approval_id" | "turn">;

/** What a later turn does: continue acting, with this attempt number next, or verify the execution. */
export type NextWork = { kind: "execute"; attempt?: number } | { kind: "verify"; execution_id: string };

/** Whether an execution may act now, as checked before its target is read. `wait` is in seconds. */
export type MayAct =
  | { kind: "go" }
  | { kind: "later"; wait: number }
  | { kind: "refused" }
  | { kind: "over" };

/**
 * Enqueues the rest of a plan as a new turn, `seconds` from now, so that waiting work takes no slot from other work. Does
 * nothing when called again or by a turn that is over.
 */
export async function requeue(
  ctx: Ctx,
  { incident_id, approval_id, turn }: QueueTurn,
  next: NextWork,
  seconds: number,
): Promise<void> {
  authorise(ctx.actor, "requeue executions", { people: "none", system: ["pipeline"] });
  await transaction(ctx, async (tx) => {
    const execution = await lockLatest(tx, approval_id);
    if (execution?.turn !== turn) return;
    await updateExecution(tx, execution.execution_id, { turn: turn + 1 });
    enqueue(tx, { ...next, incident_id, approval_id, turn: turn + 1 }, { after: seconds });
  });
}

/** The state of a plan's work when it was found to be lost. */
export type LostWork = { turn: number; execution_id: string | null };

/**
 * Enqueues a plan's work as a new turn, whatever became of the turn before; `id` is the work's id where the turn does
 * not make it unique. With `seen`, does nothing unless that state still holds: otherwise the work was not lost.
 */
export async function requeueLost(
  ctx: Ctx,
  ids: Pick<QueueTurn, "incident_id" | "approval_id">,
  { id, seen }: { id?: string; seen?: LostWork } = {},
): Promise<void> {
  authorise(ctx.actor, "requeue lost executions", { people: "none", system: ["pipeline", "sweep"] });
  await transaction(ctx, async (tx) => {
    const execution = await lockLatest(tx, ids.approval_id);
    const { turn: last, execution_id } = execution ?? { turn: 0, execution_id: null };
    if (seen !== undefined && (last !== seen.turn || execution_id !== seen.execution_id)) return;
    const turn = last + 1;
    if (execution !== undefined) await updateExecution(tx, execution.execution_id, { turn });
    enqueue(tx, { kind: "execute", ...ids, turn }, id === undefined ? {} : { id });
  });
}

/** Checks the queue of the target and the gates before the snapshot, so that a waiting execution takes it only later. */
export async function mayActNow(
  ctx: Ctx,
  execution_id: string,
  turn: number,
  options: RunOptions,
): Promise<MayAct> {
  authorise(ctx.actor, "queue executions", { people: "none", system: ["pipeline"] });
  const execution = await findExecution(ctx, execution_id);
  if (execution === undefined) return { kind: "over" };
  const admitted = await transaction(ctx, (tx) => admit(tx, execution, turn, options.gateway));
  switch (admitted.kind) {
    case "busy":
      return { kind: "later", wait: queueWait(admitted.ahead, options) };
    // `unsure`: the caller goes on, and the effect of the earlier attempt is verified there.
    case "unsure":
    case "go":
      return { kind: "go" };
    default:
      return { kind: admitted.kind };
  }
}
