import { record } from "../audit/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { admitUnplanned, type Gateway, whatStopsAll } from "../execution/index.ts";
import { clip } from "../lib/clip.ts";
import { messageOf } from "../lib/error.ts";
import { plainText } from "../lib/plain-text.ts";
import { findProcess, lockProcess, updateProcess } from "./store.ts";
import type { ProcessSupervisor } from "./types.ts";

/** A start or stop to carry out: because a person asked, or because the server starts. */
export type Task = { name: string; to: "start" | "stop"; asked: boolean };

/** The result of a task; `changed`: the process was not in the wanted state before. */
export type Acted = {
  pid: number | null;
  problem: string | null;
  changed: boolean;
  /** Name of the latest start at that time; null: it could not be looked up. */
  start: string | null;
};

/** Whether the task is still wanted: a person may have asked for the opposite since. */
const isWanted = ({ to, asked }: Task, state: string | undefined) =>
  asked
    ? state === (to === "start" ? "starting" : "stopping")
    : !["stopping", "stopped"].includes(state ?? "up");

async function begin(ctx: Ctx, task: Task, gateway: Gateway): Promise<string | null | "over"> {
  // Checked without the lock first, since this is retried all the time while changes are stopped.
  const before = await whatStopsAll(ctx, gateway());
  if (before !== undefined) return before.message;
  return transaction(ctx, async (tx) => {
    const refused = await admitUnplanned(tx, gateway);
    if (refused !== undefined) return refused.message;
    if (!isWanted(task, (await findProcess(tx, task.name))?.state)) return "over";
    record(tx, { action: `process.${task.to}_begun`, subject: task.name, data: { asked: task.asked } });
    return null;
  });
}

/** Records the result of a task, where there is something to record. */
export async function recordOutcome(
  ctx: Ctx,
  task: Task,
  { pid, problem, changed, start }: Acted,
): Promise<void> {
  const { name, to, asked } = task;
  // A process that already runs when the server starts needs no record.
  if (!changed && !asked) return;
  await transaction(ctx, async (tx) => {
    const row = await lockProcess(tx, name);
    const data = { pid, ...(problem === null ? {} : { problem }) };
    const what = problem !== null ? `${to}_failed` : to === "start" ? "started" : "stopped";
    record(tx, { action: `process.${what}`, subject: name, data });
    if (!isWanted(task, row.state)) return;
    // A firing alert stands until the watch finds the process well, and the asker already knows how this start went.
    const state = to === "stop" && problem === null ? "stopped" : row.told_at === null ? "up" : "down";
    const told = state === "down" && problem !== null ? { told_of: start } : {};
    // For a start by the server, what the watch has recorded meanwhile stays.
    if (asked || row.state !== "down") await updateProcess(tx, name, { state, problem, ...told });
  });
}

/**
 * Starts or stops a process unless it is already as wanted; the caller records the result. Idempotent: a task interrupted
 * by a crash is repeated. Returns `waits` while changes are stopped, to be retried, and "over" when the task is no longer
 * wanted. Never throws for what the process does.
 */
export async function startOrStop(
  ctx: Ctx,
  task: Task,
  supervisor: ProcessSupervisor,
  gateway: Gateway,
): Promise<Acted | "over" | { waits: string }> {
  const { name, to } = task;
  const found = await supervisor.find(name);
  const pid = found?.pid ?? null;
  // A copy that has put itself into the background is stopped too.
  const runs = found !== null || (to === "stop" && (await supervisor.copies()).has(name));
  const changed = runs !== (to === "start");
  const startOf = () => supervisor.latestStart(name).catch(() => null);
  if (!changed) {
    const suspended = task.asked && to === "start" && found?.suspended;
    const problem = `pid ${pid} is suspended, and was not started: resume it with kill -CONT ${pid}, or stop and start it`;
    const start = await startOf();
    return { pid, problem: suspended ? problem : null, changed, start };
  }
  const stopped = await begin(ctx, task, gateway);
  if (stopped === "over") return stopped;
  if (stopped !== null) return { waits: stopped };
  const came = await supervisor[to](name).then(
    (done) => ({ pid: done.pid, problem: null }),
    (error: unknown) => ({ pid, problem: clip(plainText(messageOf(error)), 1_000) }),
  );
  return { ...came, changed, start: await startOf() };
}
