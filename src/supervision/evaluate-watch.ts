import type { Ctx } from "../db/ctx.ts";
import { addSeconds } from "../lib/clock.ts";
import type { ProcessRow, SupervisedProcess } from "./types.ts";
import { endOutageIfOver, type HealthCheck, recordDown, recordUp } from "./watch.ts";

/** What the checks of a process have found so far. */
export type WatchState = {
  /** Consecutive checks that found it broken. */
  failures: number;
  /** Why its health is unknown, since when, and when that was last logged; null: it is known. */
  unseen: UnknownHealth | null;
};
type UnknownHealth = { why: string; since: Date; logged_at: Date };

/**
 * Records that a process's health is unknown. Returns true when that is to be logged: the first time, and every `again`
 * seconds.
 */
export function noteUnknown(state: WatchState, why: string, now: Date, again: number): boolean {
  const before = state.unseen;
  const news = before === null || addSeconds(before.logged_at, again) <= now;
  state.unseen = { why, since: before?.since ?? now, logged_at: news ? now : before.logged_at };
  return news;
}

/** A check, during which `start` was the latest start, and the row of the process. */
type WatchedCheck = { seen: HealthCheck; start: string; row: ProcessRow | undefined };

function failureReason({ watch }: SupervisedProcess, state: WatchState, seen: HealthCheck): string | null {
  state.failures += 1;
  const { failures } = state;
  if (!seen.certain && failures < watch.failures) return null;
  return `${seen.why}${seen.certain || failures === 1 ? "" : ` (${failures} times in a row)`}`;
}

/** Evaluates a check: updates the row, raises or ends the alert, and logs. */
export async function evaluateWatch(
  ctx: Ctx,
  process: SupervisedProcess,
  state: WatchState,
  { seen, start, row }: WatchedCheck,
  again: number,
): Promise<void> {
  const { name } = process;
  const about = { process: name };
  const isDown = row?.state === "down";
  if (seen.well === null) {
    if (noteUnknown(state, seen.why, ctx.clock.now(), again))
      ctx.log.warn({ ...about, reason: seen.why }, `process ${name}: its health is unknown`);
    // It keeps its last known state, and an alert that fires is repeated.
    if (isDown) await recordDown(ctx, process, { why: seen.why, start: row.told_of ?? start }, again);
    return;
  }
  if (state.unseen !== null) ctx.log.info(about, `process ${name}: its health is known again`);
  state.unseen = null;
  if (seen.well) {
    state.failures = 0;
    if ((isDown || row?.problem != null) && (await recordUp(ctx, process)))
      ctx.log.info(about, `process ${name} is healthy again`);
    return;
  }
  if (isDown && (await endOutageIfOver(ctx, process, start, again))) {
    state.failures = 0;
    ctx.log.info(about, `process ${name}: its outage is over: a new failure is a new outage`);
  }
  const why = failureReason(process, state, seen);
  if (why !== null && (await recordDown(ctx, process, { why, start }, again)))
    ctx.log.warn(about, `process ${name} is down: ${why}`);
}
