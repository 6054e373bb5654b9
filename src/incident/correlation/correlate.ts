/** Groups symptoms of the same trouble and finds its probable cause. Pure; the order of the input does not matter. */
import { type Evidence, explains, type Reach, reachOf } from "./evidence.ts";
import { addToMultimap } from "./multimap.ts";
import { sameRelation } from "./relate.ts";
import { resolveSymptoms } from "./resolve-symptoms.ts";
import { nearestToCause, type SymptomGroup, symptomGroupsOf } from "./symptom-groups.ts";
import type { Topology } from "./topology.ts";
import type { CorrelationTerms, Group, Relation, Symptom } from "./types.ts";

/** A group that may be the effect of another, with the evidence. */
type CauseCandidate = { effect: number; cause: number; evidence: Evidence };

/** `chosen`: the cause chosen for each effect; `roots`: its direct cause, or one further up. */
type Chosen = { chosen: ReadonlyMap<number, CauseCandidate>; roots: Map<number, number> };

// A name shared by more workloads than this identifies none of them.
const TOO_MANY = 50;

/** Finds candidate causes of a group by services, names and nodes. */
class Candidates {
  readonly #byService = new Map<number, number[]>();
  readonly #byName = new Map<string, number[]>();
  readonly #callers = new Map<number, Set<number>>();
  readonly #groups: readonly SymptomGroup[];
  readonly #reach: Reach;

  constructor(groups: readonly SymptomGroup[], reach: Reach) {
    this.#groups = groups;
    this.#reach = reach;
    for (const [index, { whole }] of groups.entries()) {
      if (whole.service !== undefined) addToMultimap(this.#byService, whole.service, index);
      if (whole.folded !== "") addToMultimap(this.#byName, whole.folded, index);
    }
    for (const service of this.#byService.keys()) {
      for (const needed of reach(service).keys()) {
        if (!this.#byService.has(needed)) continue;
        this.#callers.set(needed, (this.#callers.get(needed) ?? new Set()).add(service));
      }
    }
  }

  of(group: SymptomGroup): Set<number> {
    const { service, mentions, nodes, kind } = group.whole;
    const found = new Set<number>();
    if (service !== undefined) {
      const services = kind.role === "starved" ? this.#callers.get(service) : this.#reach(service).keys();
      for (const one of services ?? []) for (const index of this.#byService.get(one) ?? []) found.add(index);
    }
    for (const name of [...mentions, ...nodes]) {
      const named = this.#byName.get(name) ?? [];
      const near = named.length > TOO_MANY ? named.filter((one) => this.#beside(group, one)) : named;
      for (const index of near.slice(0, TOO_MANY)) found.add(index);
    }
    return found;
  }

  #beside(group: SymptomGroup, other: number): boolean {
    return this.#groups[other]?.whole.namespace === group.whole.namespace;
  }
}

function causeCandidatesOf(
  groups: readonly SymptomGroup[],
  topology: Topology,
  terms: CorrelationTerms,
): CauseCandidate[] {
  const reach = reachOf(topology, terms);
  const candidates = new Candidates(groups, reach);
  return groups.flatMap((group, effect) =>
    [...candidates.of(group)].flatMap((cause) => {
      const other = groups[cause];
      if (other === undefined || cause === effect) return [];
      const evidence = explains(group.whole, other.whole, reach, terms);
      return evidence === null ? [] : [{ effect, cause, evidence }];
    }),
  );
}

/** Returns the milliseconds between the two starts; 0 where one is unknown. */
function apart(groups: readonly SymptomGroup[], { effect, cause }: CauseCandidate): number {
  const [a, b] = [groups[effect]?.whole.at ?? null, groups[cause]?.whole.at ?? null];
  return a === null || b === null ? 0 : Math.abs(a - b);
}

/** Chooses the best cause for each group, strongest evidence first; a cause is never an effect of its own effect. */
function choose(groups: readonly SymptomGroup[], causeCandidates: readonly CauseCandidate[]): Chosen {
  const order = causeCandidates
    .filter(({ evidence }) => evidence.strength === "merge")
    .sort(
      (a, b) =>
        b.evidence.weight - a.evidence.weight ||
        apart(groups, a) - apart(groups, b) ||
        a.effect - b.effect ||
        a.cause - b.cause,
    );
  const chosen = new Map<number, CauseCandidate>();
  const roots = new Map<number, number>();
  for (const candidate of order) {
    if (chosen.has(candidate.effect) || rootOf(roots, candidate.cause) === candidate.effect) continue;
    chosen.set(candidate.effect, candidate);
    roots.set(candidate.effect, candidate.cause);
  }
  return { chosen, roots };
}

/** Returns the first cause of the chain. Compresses the path, so that long chains are walked once. */
function rootOf(roots: Map<number, number>, from: number): number {
  let root = from;
  for (let next = roots.get(root); next !== undefined; next = roots.get(root)) root = next;
  for (let at = from; at !== root; ) {
    const next = roots.get(at) ?? root;
    roots.set(at, root);
    at = next;
  }
  return root;
}

const relationOf = (evidence: Evidence): Relation => ({
  strength: evidence.strength,
  reasons: evidence.reasons,
  upstream: "b",
});

/**
 * Links the members of a group to the one nearest to the cause. Members that only suffer from another group's cause are
 * merged.
 */
function withinGroup({ members }: SymptomGroup, suffers: boolean): Group["links"] {
  const nearest = nearestToCause(members);
  return members.flatMap((one) => {
    if (one === nearest) return [];
    const relation = sameRelation(one, nearest);
    const sure =
      suffers && [one, nearest].every(({ kind }) => kind.role !== "cause" && kind.role !== "apart");
    const strength = sure ? "merge" : relation.strength;
    return [{ a: one.symptom.id, b: nearest.symptom.id, relation: { ...relation, strength } }];
  });
}

function groupOf(root: SymptomGroup, groups: readonly SymptomGroup[], links: Group["links"]): Group {
  const members = groups.flatMap((group) => group.members);
  const cause = nearestToCause(root.members);
  const inside = new Set(members.map(({ symptom }) => symptom.id));
  const [reason] = links.flatMap(({ a, b, relation }) =>
    inside.has(a) && inside.has(b) ? [relation.reasons] : [],
  );
  return {
    members: members.map(({ symptom }) => symptom.id).sort(),
    cause:
      members.length === 1
        ? null
        : { id: cause.symptom.id, reason: causeReason(cause.name, groups.length - 1) },
    reason: reason === undefined ? "no relation to another alert was found" : reason.join("; "),
    links,
  };
}

function causeReason(name: string, effects: number): string {
  if (effects === 0) return `it is closest to the problem of ${name}`;
  return `${effects} other${effects === 1 ? " follows" : "s follow"} from the problem of ${name}`;
}

/**
 * Groups symptoms by trouble. Each affected workload gets at most one cause, the one with the strongest evidence: two
 * faults that reach the same caller stay two.
 */
export function correlate(
  symptoms: readonly Symptom[],
  topology: Topology,
  terms: CorrelationTerms,
): Group[] {
  const groups = symptomGroupsOf(resolveSymptoms(symptoms, topology), terms);
  const causeCandidates = causeCandidatesOf(groups, topology, terms);
  const { chosen, roots } = choose(groups, causeCandidates);
  const trees = Map.groupBy(groups.keys(), (index) => rootOf(roots, index));
  const byEffect = Map.groupBy(causeCandidates, ({ effect }) => effect);
  const idOf = (index: number) => nearestToCause((groups[index] as SymptomGroup).members).symptom.id;
  return [...trees].map(([root, indexes]) => {
    const own = indexes.map((index) => groups[index] as SymptomGroup);
    const within = indexes.flatMap((index) => withinGroup(groups[index] as SymptomGroup, chosen.has(index)));
    const between = indexes.flatMap((index) => {
      const candidate = chosen.get(index);
      return candidate === undefined
        ? []
        : [{ a: idOf(candidate.effect), b: idOf(candidate.cause), relation: relationOf(candidate.evidence) }];
    });
    // Weaker evidence for other groups becomes one link to each.
    const others = new Map<number, Group["links"][number]>();
    for (const { effect, cause, evidence } of indexes.flatMap((index) => byEffect.get(index) ?? [])) {
      const other = rootOf(roots, cause);
      if (other === root || others.has(other)) continue;
      const relation: Relation = { ...relationOf(evidence), strength: "link" };
      others.set(other, { a: idOf(effect), b: idOf(cause), relation });
    }
    return groupOf(groups[root] as SymptomGroup, own, [...between, ...within, ...others.values()]);
  });
}

/** Returns the member that the others most probably result from; null where there are no members. */
export function probableCause(
  members: readonly Symptom[],
  topology: Topology,
): { id: string; reason: string } | null {
  const terms = { window_ms: Number.POSITIVE_INFINITY, max_hops: 10 };
  const groups = symptomGroupsOf(resolveSymptoms(members, topology), terms);
  const { roots } = choose(groups, causeCandidatesOf(groups, topology, terms));
  const trees = Map.groupBy(groups.keys(), (index) => rootOf(roots, index));
  const [best] = [...trees].sort(([a, one], [b, other]) => other.length - one.length || a - b);
  if (best === undefined) return null;
  const cause = nearestToCause((groups[best[0]] as SymptomGroup).members);
  return { id: cause.symptom.id, reason: causeReason(cause.name, best[1].length - 1) };
}
