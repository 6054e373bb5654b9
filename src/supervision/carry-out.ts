import { record } from "../audit/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { admitUnplanned, type Gateway, whatStopsAll } from "../execution/index.ts";
import { clip } from "../lib/clip.ts";
import { messageOf } from "../lib/error.ts";
import { plainText } from "../lib/plain-text.ts";
import { findProcess, lockProcess, updateProcess } from "./store.ts";
import type { ProcessSupervisor } from "./types.ts";

/** A start or stop that is to be done: because a person asked, or because the server starts. */
export type Task = { name: string; to: "start" | "stop"; asked: boolean };

/** What came of a task; `changed`: it was not as wanted before. */
export type Acted = {
  pid: number | null;
  problem: string | null;
  changed: boolean;
  /** Which start was the latest then; null: that could not be looked up. */
  start: string | null;
};

/** Whether what was to be done is still wanted: whoever asked may have asked for the opposite since. */
const isWanted = ({ to, asked }: Task, state: string | undefined) =>
  asked
    ? state === (to === "start" ? "starting" : "stopping")
    : !["stopping", "stopped"].includes(state ?? "up");

async function begin(ctx: Ctx, task: Task, gateway: Gateway): Promise<string | null | "over"> {
  // Asked without the lock first: it is looked at again and again while changes are stopped.
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

/** Writes down what came of it, where that is anything to write down. */
export async function writeDown(
  ctx: Ctx,
  task: Task,
  { pid, problem, changed, start }: Acted,
): Promise<void> {
  const { name, to, asked } = task;
  // What runs already when the server starts is none.
  if (!changed && !asked) return;
  await transaction(ctx, async (tx) => {
    const row = await lockProcess(tx, name);
    const data = { pid, ...(problem === null ? {} : { problem }) };
    const what = problem !== null ? `${to}_failed` : to === "start" ? "started" : "stopped";
    record(tx, { action: `process.${what}`, subject: name, data });
    if (!isWanted(task, row.state)) return;
    // What was raised of it stands until its watch has seen it well, and whoever asked knows how that start went.
    const state = to === "stop" && problem === null ? "stopped" : row.told_at === null ? "up" : "down";
    const told = state === "down" && problem !== null ? { told_of: start } : {};
    // What its watch has said meanwhile of one that the server starts stays.
    if (asked || row.state !== "down") await updateProcess(tx, name, { state, problem, ...told });
  });
}

/**
 * Starts or stops a process, unless it is as wanted already; what came of it is to be written down. What was begun and not
 * ended, as by a crash between, is done again with the same end. `waits`: changes are stopped, and it is tried again. Never throws
 * for what the process does.
 */
export async function carryOut(
  ctx: Ctx,
  task: Task,
  supervisor: ProcessSupervisor,
  gateway: Gateway,
): Promise<Acted | "over" | { waits: string }> {
  const { name, to } = task;
  const found = await supervisor.find(name);
  const pid = found?.pid ?? null;
  // What has put itself into the background is stopped too.
  const runs = found !== null || (to === "stop" && (await supervisor.copies()).has(name));
  const changed = runs !== (to === "start");
  const startOf = () => supervisor.latestStart(name).catch(() => null);
  if (!changed) {
    const suspended = task.asked && to === "start" && found?.suspended;
    const problem = `pid ${pid} is suspended, and was not started: continue it with kill -CONT ${pid}, or stop and start it`;
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
