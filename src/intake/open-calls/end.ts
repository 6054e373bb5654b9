import { authorise } from "../../access/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { endOf, saysAgain } from "../outage/decide.ts";
import type { AlertNotice } from "../types.ts";
import { alertsWithMore, type EndedCalls, endCalls, endedCalls, lastEnd, newestBut } from "./store.ts";

// So many calls end with the notice itself; of more the oldest end before it, in pages.
const KEPT = 50;

/** Of notices that alerts are over those that end more calls than are ended at once. */
export async function crowded(ctx: Ctx, ends: readonly AlertNotice[]): Promise<AlertNotice[]> {
  if (ends.length === 0) return [];
  const many = await alertsWithMore(ctx, [...new Set(ends.map((one) => one.identity))], KEPT);
  return ends.filter((one) => many.has(one.identity));
}

async function whichEnd(ctx: Ctx, notice: AlertNotice) {
  const { identity, place, replayed } = notice;
  const last = await lastEnd(ctx, identity);
  const before = saysAgain(last, notice) ? (last?.outage ?? null) : null;
  const ended: EndedCalls = { identity, place, replayed, ends_at: endOf(notice), before };
  return { last, ended };
}

/** Which calls a notice ends before it is heard itself, by their outages. */
export type EndingCalls = { after: number; last: number };

/** null: no more calls end with the notice than may end at once. */
export async function beginEnding(ctx: Ctx, notice: AlertNotice): Promise<EndingCalls | null> {
  const { ended } = await whichEnd(ctx, notice);
  const last = await newestBut(ctx, ended, KEPT);
  return last === undefined ? null : { after: -1, last };
}

export type EndedPage = {
  ended: Awaited<ReturnType<typeof endCalls>>;
  /** What is left; null: nothing. */
  left: EndingCalls | null;
};

/**
 * Ends the oldest calls that a notice ends, `limit` at most. The notice itself is still to be heard: so these tell of
 * the end what was known before it, and what was said before it goes on as if nothing had ended. Done again it goes on
 * where it was. `lock` is given the fingerprints of the page before any of it is changed.
 */
export async function endPage(
  ctx: Ctx,
  notice: AlertNotice,
  { after, last: newest }: EndingCalls,
  limit: number,
  lock: (fingerprints: readonly string[]) => Promise<void>,
): Promise<EndedPage> {
  authorise(ctx.actor, "end calls", { people: "nobody", system: ["intake"] });
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
