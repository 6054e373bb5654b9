import { authorise } from "../access/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { enqueue, type Work } from "../outbox/index.ts";
import { admit } from "./admit.ts";
import { waitBehind } from "./attempt.ts";
import { findExecution, lockLatest, updateExecution } from "./store.ts";
import type { RunOptions } from "./types.ts";

type Turn = Pick<Extract<Work, { kind: "verify" }>, "incident_id" | "approval_id" | "turn">;

/** What a later turn is for: to go on acting, with this attempt next, or to look whether it has helped. */
export type Next = { kind: "execute"; attempt?: number } | { kind: "verify"; execution_id: string };

/** Whether an execution may act in this turn, asked before its target is looked at. */
export type Asked = { kind: "go" } | { kind: "later"; wait: number } | { kind: "refused" } | { kind: "over" };

/**
 * Leaves the rest of a plan to a later turn, so many seconds from now: what waits takes no place from what does not.
 * Called again, or by a turn that is over, it does nothing.
 */
export async function passOn(
  ctx: Ctx,
  { incident_id, approval_id, turn }: Turn,
  next: Next,
  seconds: number,
): Promise<void> {
  authorise(ctx.actor, "pass executions on", { people: "nobody", system: ["pipeline"] });
  await transaction(ctx, async (tx) => {
    const execution = await lockLatest(tx, approval_id);
    if (execution?.turn !== turn) return;
    await updateExecution(tx, execution.execution_id, { turn: turn + 1 });
    enqueue(tx, { ...next, incident_id, approval_id, turn: turn + 1 }, { after: seconds });
  });
}

/** What was known of a plan's work when it was found to be lost. */
export type Seen = { turn: number; execution_id: string | null };

/**
 * Has a plan's work done by a turn of its own, whatever became of the one before; `id` names the work where it is not
 * told apart by its turn. With `seen` only where that still holds: who went on meanwhile is not lost.
 */
export async function takeOver(
  ctx: Ctx,
  ids: Pick<Turn, "incident_id" | "approval_id">,
  { id, seen }: { id?: string; seen?: Seen } = {},
): Promise<void> {
  authorise(ctx.actor, "take executions over", { people: "nobody", system: ["pipeline", "sweep"] });
  await transaction(ctx, async (tx) => {
    const execution = await lockLatest(tx, ids.approval_id);
    const { turn: last, execution_id } = execution ?? { turn: 0, execution_id: null };
    if (seen !== undefined && (last !== seen.turn || execution_id !== seen.execution_id)) return;
    const turn = last + 1;
    if (execution !== undefined) await updateExecution(tx, execution.execution_id, { turn });
    enqueue(tx, { kind: "execute", ...ids, turn }, id === undefined ? {} : { id });
  });
}

/** Asks for a turn on a target and at the gates before anything is looked at: who has to wait looks when it is time. */
export async function askForTurn(
  ctx: Ctx,
  execution_id: string,
  turn: number,
  options: RunOptions,
): Promise<Asked> {
  authorise(ctx.actor, "ask for a turn", { people: "nobody", system: ["pipeline"] });
  const execution = await findExecution(ctx, execution_id);
  if (execution === undefined) return { kind: "over" };
  const admitted = await transaction(ctx, (tx) => admit(tx, execution, turn, options.gateway));
  switch (admitted.kind) {
    case "busy":
      return { kind: "later", wait: waitBehind(admitted.ahead, options) };
    // An earlier attempt is looked at where its outcome is asked for.
    case "unsure":
    case "go":
      return { kind: "go" };
    default:
      return { kind: admitted.kind };
  }
}
