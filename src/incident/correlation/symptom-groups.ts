/** Symptoms of one workload at one time. Correlation treats a group as one symptom, which keeps storms small. */
import { isCommon } from "./names.ts";
import type { ResolvedSymptom } from "./resolve-symptoms.ts";
import type { CorrelationTerms } from "./types.ts";

export type SymptomGroup = {
  members: [ResolvedSymptom, ...ResolvedSymptom[]];
  /** The group represented as one symptom. */
  whole: ResolvedSymptom;
};

const byTime = (a: ResolvedSymptom, b: ResolvedSymptom) =>
  (a.at ?? Number.POSITIVE_INFINITY) - (b.at ?? Number.POSITIVE_INFINITY) ||
  (a.symptom.id < b.symptom.id ? -1 : 1);

/** Returns the member nearest to the cause: the highest rank, then the earliest start. */
export function nearestToCause(members: readonly [ResolvedSymptom, ...ResolvedSymptom[]]): ResolvedSymptom {
  return members.reduce((best, one) =>
    one.kind.rank > best.kind.rank || (one.kind.rank === best.kind.rank && byTime(one, best) < 0)
      ? one
      : best,
  );
}

function symptomGroupOf(members: [ResolvedSymptom, ...ResolvedSymptom[]]): SymptomGroup {
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

/** The names that a symptom's text blames; empty where it names none. */
const blameOf = ({ mentions }: ResolvedSymptom) =>
  [...mentions]
    .filter((name) => !isCommon(name))
    .sort()
    .join(" ");

/**
 * Splits symptoms of one workload that blame different names: the workload may suffer from two causes at once, and the
 * same alert then fires twice with different names in its text. Symptoms that name none stay with the largest part.
 */
function byBlame(run: readonly ResolvedSymptom[]): ResolvedSymptom[][] {
  const named = run.filter((one) => blameOf(one) !== "");
  const told = Map.groupBy(named, (one) => one.symptom.alert_name).values();
  const twice = [...told].some((list) => new Set(list.map(blameOf)).size > 1);
  if (!twice) return [[...run]];
  const parts = [...Map.groupBy(named, blameOf).values()].sort((a, b) => b.length - a.length);
  const [most = []] = parts;
  most.push(...run.filter((one) => blameOf(one) === ""));
  return parts;
}

/** Groups symptoms by workload and time. Those without a time join the latest group. */
export function symptomGroupsOf(
  resolved: readonly ResolvedSymptom[],
  terms: CorrelationTerms,
): SymptomGroup[] {
  const groups: SymptomGroup[] = [];
  for (const list of Map.groupBy(resolved, (one) => one.entity).values()) {
    const timed = list.filter((one) => one.at !== null).sort(byTime);
    const untimed = list.filter((one) => one.at === null).sort(byTime);
    const runs: ResolvedSymptom[][] = [];
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
      if (head !== undefined) groups.push(symptomGroupOf([head, ...rest]));
  }
  return groups.sort((a, b) => byTime(a.whole, b.whole));
}
