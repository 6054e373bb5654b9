import { record } from "../audit/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { endAlert } from "./alert.ts";
import { findProcess, lockProcess, updateProcess } from "./store.ts";
import type { ProcessRow } from "./types.ts";

const ASKED: Partial<Record<ProcessRow["state"], "start" | "stop">> = { starting: "start", stopping: "stop" };

/** Whether the row holds state to be cleared once the process is not configured. That it was stopped on purpose is kept. */
export const hasLeftovers = ({ state, asked_at, told_at }: ProcessRow): boolean =>
  state !== "stopped" && (state !== "up" || asked_at !== null || told_at !== null);

/**
 * Clears the state of a process that is no longer configured: ends its alert, and drops a start or stop not yet carried
 * out, which would otherwise happen when it is configured again. Returns the dropped request, or null.
 */
export async function forgetRemoved(
  ctx: Ctx,
  name: string,
): Promise<{ to: "start" | "stop"; by: string } | null> {
  return transaction(ctx, async (tx) => {
    if ((await findProcess(tx, name)) === undefined) return null;
    const row = await lockProcess(tx, name);
    if (!hasLeftovers(row)) return null;
    const to = ASKED[row.state];
    const asked_by = row.asked_by ?? "nobody";
    if (to !== undefined) record(tx, { action: `process.${to}_dropped`, subject: name, data: { asked_by } });
    await endAlert(tx, { name }, row);
    const nobody = { asked_by: null, asked_by_kind: null, asked_at: null };
    await updateProcess(tx, name, { state: "up", problem: null, told_at: null, ...nobody });
    return to === undefined ? null : { to, by: asked_by };
  });
}
