import {
  correlate,
  DEFAULT_TERMS,
  type Group,
  NO_TOPOLOGY,
  parseTopology,
} from "../../src/incident/index.ts";
import { type Case, caseOf, type Knobs } from "./cascades.ts";
import { type Pairs, pairsOf, scores, sumOf } from "./pairs.ts";

/**
 * The trouble of each alert. One that two faults reach is an effect of both, and a grouping can put it to one only:
 * either is right, so it belongs to that with which it was put, else to the first that reached it. It must not join
 * the two. What no fault reaches is a trouble of its own.
 */
function truthOf({ told }: Case, groups: readonly Group[]): Map<string, string> {
  const by = new Map(told.map(({ symptom, faults }) => [symptom.id, faults]));
  const truth = new Map<string, string>();
  for (const { members } of groups) {
    const sure = members.flatMap((id) => (by.get(id)?.length === 1 ? (by.get(id) ?? []) : []));
    const most = [...Map.groupBy(sure, (fault) => fault)].sort((a, b) => b[1].length - a[1].length)[0]?.[0];
    for (const id of members) {
      const faults = by.get(id) ?? [];
      const fault = faults.find((one) => one === most) ?? faults[0];
      truth.set(id, fault === undefined ? `noise ${id}` : `fault ${fault}`);
    }
  }
  return truth;
}

export type Judged = { pairs: Pairs; troubles: number; named: number };

function judge(one: Case, withGraph: boolean): Judged {
  const symptoms = one.told.map(({ symptom }) => symptom);
  const topology = withGraph ? parseTopology(one.topology) : NO_TOPOLOGY;
  const groups = correlate(symptoms, topology, DEFAULT_TERMS);
  const truth = truthOf(one, groups);
  const groupOf = new Map(groups.flatMap((group, index) => group.members.map((id) => [id, index] as const)));
  const ids = symptoms.map(({ id }) => id);
  const pairs = pairsOf(
    ids.map((id) => groupOf.get(id)),
    ids.map((id) => truth.get(id)),
  );
  let [troubles, named] = [0, 0];
  for (const [fault, causes] of one.causes.entries()) {
    const own = ids.filter((id) => truth.get(id) === `fault ${fault}`);
    if (own.length < 2) continue;
    troubles += 1;
    const biggest = [...Map.groupBy(own, (id) => groupOf.get(id))].sort(
      (a, b) => b[1].length - a[1].length,
    )[0];
    const cause = groups[biggest?.[0] ?? -1]?.cause?.id;
    if (cause !== undefined && causes.has(cause)) named += 1;
  }
  return { pairs, troubles, named };
}

/** Over `count` systems: pairs taken together, and the share of troubles whose cause was named. */
export function judgeMany(seed: string | number, count: number, knobs: Knobs, withGraph: boolean) {
  const judged = Array.from({ length: count }, (_, index) =>
    judge(caseOf(`${seed}:${index}`, knobs), withGraph),
  );
  const total = (key: "troubles" | "named") => judged.reduce((sum, one) => sum + one[key], 0);
  return { ...scores(sumOf(judged.map(({ pairs }) => pairs))), cause: total("named") / total("troubles") };
}
