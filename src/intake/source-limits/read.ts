import { authorise } from "../../access/index.ts";
import type { RefusedCalls, RefusedQuery } from "../../contract/source.ts";
import type { Ctx } from "../../db/ctx.ts";
import { pageOf } from "../../db/page.ts";
import { addSeconds } from "../../lib/clock.ts";
import { ACCEPTED, DEAD } from "./call-counts.ts";
import { callTotals, deadLetterStock, refusedPage } from "./store.ts";

const DAY = 86_400;

/** Lists refused calls with the reason, the latest hour first. Counts lag by a few seconds. */
export async function listRefusedCalls(
  ctx: Ctx,
  query: RefusedQuery,
): Promise<{ items: RefusedCalls[]; next_cursor: string | null }> {
  authorise(ctx.actor, "list refused calls", { people: "viewer" });
  const found = await refusedPage(ctx, query, [ACCEPTED, DEAD]);
  const { rows, next_cursor } = pageOf(found, query.limit, ({ hour, seq }) => ({
    at: hour,
    id: String(seq),
  }));
  const items = rows.map(({ seq: _, result, hour, first_at, last_at, ...rest }) => ({
    ...rest,
    reason: result,
    hour: hour.toISOString(),
    first_at: first_at.toISOString(),
    last_at: last_at.toISOString(),
  }));
  return { items, next_cursor };
}

/** Calls of a source, in the hours of the last day and the present one. */
export type SourceCalls = {
  accepted: number;
  refused: number;
  dead: number;
  last_accepted_at: Date | null;
  last_refused_at: Date | null;
  dead_letters: { count: number; bytes: number };
};

/** Returns when a call of each source was last parsed, for the metrics; none while a dead letter is its latest call. */
export async function lastParsed(ctx: Ctx): Promise<Map<string, Date>> {
  authorise(ctx.actor, "see when sources last sent", { people: "none", system: ["intake"] });
  const totals = await callTotals(ctx, ctx.clock.now());
  const dead = new Map(totals.flatMap((one) => (one.result === DEAD ? [[one.source, one.last_at]] : [])));
  return new Map(
    totals.flatMap(({ source, result, last_at }) => {
      const broken = dead.get(source);
      return result === ACCEPTED && (broken === undefined || broken < last_at) ? [[source, last_at]] : [];
    }),
  );
}

/** Returns the calls of every source that has any. */
export async function sourceCalls(ctx: Ctx): Promise<Map<string, SourceCalls>> {
  authorise(ctx.actor, "list sources", { people: "viewer" });
  const now = ctx.clock.now();
  const all = new Map<string, SourceCalls>();
  const of = (source: string) => {
    const none = { accepted: 0, refused: 0, dead: 0, last_accepted_at: null, last_refused_at: null };
    const found = all.get(source) ?? { ...none, dead_letters: { count: 0, bytes: 0 } };
    all.set(source, found);
    return found;
  };
  for (const { source, result, count, last_at } of await callTotals(ctx, addSeconds(now, -DAY))) {
    const calls = of(source);
    if (result === ACCEPTED) Object.assign(calls, { accepted: count, last_accepted_at: last_at });
    else if (result === DEAD) calls.dead = count;
    else {
      calls.refused += count;
      if (calls.last_refused_at === null || last_at > calls.last_refused_at) calls.last_refused_at = last_at;
    }
  }
  for (const { source, deadLetters, bytes } of await deadLetterStock(ctx, now)) {
    const { dead_letters } = of(source);
    dead_letters.count += deadLetters;
    dead_letters.bytes += bytes;
  }
  return all;
}
