import { authorise } from "../../access/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { repeatsEnd, reportedEnd } from "../outage/decide.ts";
import type { AlertNotice } from "../types.ts";
import {
  alertsWithMoreCalls,
  type EndedCalls,
  endCalls,
  endedCalls,
  lastEnd,
  newestEndedCallBut,
} from "./store.ts";

// Number of calls that end with the notice itself; where there are more, the oldest are ended before it, in pages.
const KEPT = 50;

/** Returns those resolved notices whose alerts have more open calls than may be ended at once. */
export async function withManyOpenCalls(ctx: Ctx, ends: readonly AlertNotice[]): Promise<AlertNotice[]> {
  if (ends.length === 0) return [];
  const many = await alertsWithMoreCalls(ctx, [...new Set(ends.map((one) => one.identity))], KEPT);
  return ends.filter((one) => many.has(one.identity));
}

async function whichEnd(ctx: Ctx, notice: AlertNotice) {
  const { identity, place, replayed } = notice;
  const last = await lastEnd(ctx, identity);
  const before = repeatsEnd(last, notice) ? (last?.outage ?? null) : null;
  const ended: EndedCalls = { identity, place, replayed, ends_at: reportedEnd(notice), before };
  return { last, ended };
}

/** Range of the calls, by outage number, that are ended before the notice itself is processed: above `after`, up to `last`. */
export type EndingCalls = { after: number; last: number };

/** Returns the calls to end before the notice is processed; null: it ends no more calls than may end at once. */
export async function beginEnding(ctx: Ctx, notice: AlertNotice): Promise<EndingCalls | null> {
  const { ended } = await whichEnd(ctx, notice);
  const last = await newestEndedCallBut(ctx, ended, KEPT);
  return last === undefined ? null : { after: -1, last };
}

export type EndedPage = {
  ended: Awaited<ReturnType<typeof endCalls>>;
  /** The calls left to end; null: none. */
  left: EndingCalls | null;
};

/**
 * Ends the oldest calls that a notice ends, at most `limit`. As the notice itself is processed later, these calls record the end
 * that was known before it, so that notices received earlier still take effect. Run again, it continues where it stopped. `lock`
 * is called with the page's fingerprints before anything is changed.
 */
export async function endPage(
  ctx: Ctx,
  notice: AlertNotice,
  { after, last: newest }: EndingCalls,
  limit: number,
  lock: (fingerprints: readonly string[]) => Promise<void>,
): Promise<EndedPage> {
  authorise(ctx.actor, "end open calls", { people: "none", system: ["intake"] });
  const { last, ended } = await whichEnd(ctx, notice);
  const calls = await endedCalls(ctx, ended, { after, last: newest, limit });
  await lock(calls.map((call) => call.fingerprint));
  const ids = calls.map((call) => call.alert_id);
  const done = await endCalls(ctx, ids, { ends_at: ended.ends_at, last });
  const end = calls.at(-1)?.outage;
  return {
    ended: done,
    left: calls.length < limit || end === undefined ? null : { after: end, last: newest },
  };
}
