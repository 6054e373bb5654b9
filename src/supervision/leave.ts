import { record } from "../audit/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { raiseNoMore } from "./alert.ts";
import { findProcess, lockProcess, updateProcess } from "./store.ts";
import type { ProcessRow } from "./types.ts";

const ASKED: Partial<Record<ProcessRow["state"], "start" | "stop">> = { starting: "start", stopping: "stop" };

/** Whether anything is remembered of a process that ends with its configuration. That it was stopped on purpose does not. */
export const isLeft = ({ state, asked_at, told_at }: ProcessRow): boolean =>
  state !== "stopped" && (state !== "up" || asked_at !== null || told_at !== null);

/**
 * Ends what is remembered of a process that is configured no longer: its alert, and what was asked of it and is not done, which
 * would else be done whenever it is configured again. Returns what that was.
 */
export async function leave(ctx: Ctx, name: string): Promise<{ to: "start" | "stop"; by: string } | null> {
  return transaction(ctx, async (tx) => {
    if ((await findProcess(tx, name)) === undefined) return null;
    const row = await lockProcess(tx, name);
    if (!isLeft(row)) return null;
    const to = ASKED[row.state];
    const asked_by = row.asked_by ?? "nobody";
    if (to !== undefined) record(tx, { action: `process.${to}_dropped`, subject: name, data: { asked_by } });
    await raiseNoMore(tx, { name }, row);
    const nobody = { asked_by: null, asked_by_kind: null, asked_at: null };
    await updateProcess(tx, name, { state: "up", problem: null, told_at: null, ...nobody });
    return to === undefined ? null : { to, by: asked_by };
  });
}
