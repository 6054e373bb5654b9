/** Symptoms of one workload at one time: they stand or fall together, and storms become small. */
import { isCommon } from "./names.ts";
import type { Placed } from "./place.ts";
import type { CorrelationTerms } from "./types.ts";

export type Spot = {
  members: [Placed, ...Placed[]];
  /** The whole spot as if it were one symptom. */
  whole: Placed;
};

const byTime = (a: Placed, b: Placed) =>
  (a.at ?? Number.POSITIVE_INFINITY) - (b.at ?? Number.POSITIVE_INFINITY) ||
  (a.symptom.id < b.symptom.id ? -1 : 1);

/** The one that stands nearest to the cause: the worst sort, then the earliest. */
export function nearestToCause(members: readonly [Placed, ...Placed[]]): Placed {
  return members.reduce((best, one) =>
    one.sort.rank > best.sort.rank || (one.sort.rank === best.sort.rank && byTime(one, best) < 0)
      ? one
      : best,
  );
}

function spotOf(members: [Placed, ...Placed[]]): Spot {
  const known = members.flatMap(({ at }) => (at === null ? [] : [at]));
  return {
    members,
    whole: {
      ...nearestToCause(members),
      nodes: new Set(members.flatMap(({ nodes }) => [...nodes])),
      mentions: new Set(members.flatMap(({ mentions }) => [...mentions])),
      at: known.length === 0 ? null : known.reduce((least, at) => Math.min(least, at)),
    },
  };
}

/** What a text puts it down to; empty where it says nothing. */
const blameOf = ({ mentions }: Placed) =>
  [...mentions]
    .filter((name) => !isCommon(name))
    .sort()
    .join(" ");

/**
 * One workload may suffer from two causes at once: then the same alert tells of it twice, and each time names others.
 * What names nobody stays with the most.
 */
function byBlame(run: readonly Placed[]): Placed[][] {
  const named = run.filter((one) => blameOf(one) !== "");
  const told = Map.groupBy(named, (one) => one.symptom.alert_name).values();
  const twice = [...told].some((list) => new Set(list.map(blameOf)).size > 1);
  if (!twice) return [[...run]];
  const parts = [...Map.groupBy(named, blameOf).values()].sort((a, b) => b.length - a.length);
  const [most = []] = parts;
  most.push(...run.filter((one) => blameOf(one) === ""));
  return parts;
}

/** One spot for each workload and time; those without a time join the latest. */
export function spotsOf(placed: readonly Placed[], terms: CorrelationTerms): Spot[] {
  const spots: Spot[] = [];
  for (const list of Map.groupBy(placed, (one) => one.entity).values()) {
    const timed = list.filter((one) => one.at !== null).sort(byTime);
    const untimed = list.filter((one) => one.at === null).sort(byTime);
    const runs: Placed[][] = [];
    for (const one of timed) {
      const run = runs.at(-1);
      const last = run?.at(-1)?.at ?? null;
      if (run === undefined || last === null || one.at === null || one.at - last > terms.window_ms)
        runs.push([one]);
      else run.push(one);
    }
    const last = runs.at(-1);
    if (last === undefined) runs.push(untimed);
    else last.push(...untimed);
    for (const [head, ...rest] of runs.flatMap(byBlame))
      if (head !== undefined) spots.push(spotOf([head, ...rest]));
  }
  return spots.sort((a, b) => byTime(a.whole, b.whole));
}
