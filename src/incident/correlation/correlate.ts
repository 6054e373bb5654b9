/** Which symptoms are one trouble, and what it comes from. Pure, and the same for every order of its input. */
import { type Evidence, explains, type Reach, reachOf } from "./evidence.ts";
import { place } from "./place.ts";
import { put } from "./put.ts";
import { sameRelation } from "./relate.ts";
import { nearestToCause, type Spot, spotsOf } from "./spots.ts";
import type { Topology } from "./topology.ts";
import type { CorrelationTerms, Group, Relation, Symptom } from "./types.ts";

/** One spot as the effect of another. */
type Claim = { effect: number; cause: number; evidence: Evidence };

/** The claim of each effect, and its next cause or one further on. */
type Chosen = { chosen: ReadonlyMap<number, Claim>; roots: Map<number, number> };

// A name that so many workloads carry points at none of them.
const TOO_MANY = 50;

/** The spots that may be the cause of each, found by what they are about. */
class Candidates {
  readonly #byService = new Map<number, number[]>();
  readonly #byName = new Map<string, number[]>();
  readonly #callers = new Map<number, Set<number>>();
  readonly #spots: readonly Spot[];
  readonly #reach: Reach;

  constructor(spots: readonly Spot[], reach: Reach) {
    this.#spots = spots;
    this.#reach = reach;
    for (const [index, { whole }] of spots.entries()) {
      if (whole.service !== undefined) put(this.#byService, whole.service, index);
      if (whole.folded !== "") put(this.#byName, whole.folded, index);
    }
    for (const service of this.#byService.keys()) {
      for (const needed of reach(service).keys()) {
        if (!this.#byService.has(needed)) continue;
        this.#callers.set(needed, (this.#callers.get(needed) ?? new Set()).add(service));
      }
    }
  }

  of(spot: Spot): Set<number> {
    const { service, mentions, nodes, sort } = spot.whole;
    const found = new Set<number>();
    if (service !== undefined) {
      const services = sort.feels === "starved" ? this.#callers.get(service) : this.#reach(service).keys();
      for (const one of services ?? []) for (const index of this.#byService.get(one) ?? []) found.add(index);
    }
    for (const name of [...mentions, ...nodes]) {
      const named = this.#byName.get(name) ?? [];
      const near = named.length > TOO_MANY ? named.filter((one) => this.#beside(spot, one)) : named;
      for (const index of near.slice(0, TOO_MANY)) found.add(index);
    }
    return found;
  }

  #beside(spot: Spot, other: number): boolean {
    return this.#spots[other]?.whole.namespace === spot.whole.namespace;
  }
}

function claimsOf(spots: readonly Spot[], topology: Topology, terms: CorrelationTerms): Claim[] {
  const reach = reachOf(topology, terms);
  const candidates = new Candidates(spots, reach);
  return spots.flatMap((spot, effect) =>
    [...candidates.of(spot)].flatMap((cause) => {
      const other = spots[cause];
      if (other === undefined || cause === effect) return [];
      const evidence = explains(spot.whole, other.whole, reach, terms);
      return evidence === null ? [] : [{ effect, cause, evidence }];
    }),
  );
}

/** How far apart two began; what is unknown is neither near nor far. */
function apart(spots: readonly Spot[], { effect, cause }: Claim): number {
  const [a, b] = [spots[effect]?.whole.at ?? null, spots[cause]?.whole.at ?? null];
  return a === null || b === null ? 0 : Math.abs(a - b);
}

/** For every spot its best cause, the surest first; a cause is never the effect of its own effect. */
function choose(spots: readonly Spot[], claims: readonly Claim[]): Chosen {
  const order = claims
    .filter(({ evidence }) => evidence.strength === "merge")
    .sort(
      (a, b) =>
        b.evidence.weight - a.evidence.weight ||
        apart(spots, a) - apart(spots, b) ||
        a.effect - b.effect ||
        a.cause - b.cause,
    );
  const chosen = new Map<number, Claim>();
  const roots = new Map<number, number>();
  for (const claim of order) {
    if (chosen.has(claim.effect) || rootOf(roots, claim.cause) === claim.effect) continue;
    chosen.set(claim.effect, claim);
    roots.set(claim.effect, claim.cause);
  }
  return { chosen, roots };
}

/** Follows the causes to the first; what it passes is shortened, so that long chains are walked once. */
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

/** Members of one spot by the one nearest to the cause. What only suffers from another spot's cause suffers as one. */
function withinSpot({ members }: Spot, suffers: boolean): Group["links"] {
  const nearest = nearestToCause(members);
  return members.flatMap((one) => {
    if (one === nearest) return [];
    const relation = sameRelation(one, nearest);
    const sure =
      suffers && [one, nearest].every(({ sort }) => sort.feels !== "cause" && sort.feels !== "apart");
    const strength = sure ? "merge" : relation.strength;
    return [{ a: one.symptom.id, b: nearest.symptom.id, relation: { ...relation, strength } }];
  });
}

function groupOf(root: Spot, spots: readonly Spot[], links: Group["links"]): Group {
  const members = spots.flatMap((spot) => spot.members);
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
        : { id: cause.symptom.id, reason: causeReason(cause.name, spots.length - 1) },
    reason: reason === undefined ? "nothing ties it to another alert" : reason.join("; "),
    links,
  };
}

function causeReason(name: string, effects: number): string {
  if (effects === 0) return `it stands nearest to what is wrong with ${name}`;
  return `${effects} other${effects === 1 ? " follows" : "s follow"} from what is wrong with ${name}`;
}

/**
 * Groups symptoms by trouble. Each workload that suffers is put down to at most one cause, the surest: two faults
 * that reach the same caller stay two.
 */
export function correlate(
  symptoms: readonly Symptom[],
  topology: Topology,
  terms: CorrelationTerms,
): Group[] {
  const spots = spotsOf(place(symptoms, topology), terms);
  const claims = claimsOf(spots, topology, terms);
  const { chosen, roots } = choose(spots, claims);
  const trees = Map.groupBy(spots.keys(), (index) => rootOf(roots, index));
  const claimed = Map.groupBy(claims, ({ effect }) => effect);
  const idOf = (index: number) => nearestToCause((spots[index] as Spot).members).symptom.id;
  return [...trees].map(([root, indexes]) => {
    const own = indexes.map((index) => spots[index] as Spot);
    const within = indexes.flatMap((index) => withinSpot(spots[index] as Spot, chosen.has(index)));
    const between = indexes.flatMap((index) => {
      const claim = chosen.get(index);
      return claim === undefined
        ? []
        : [{ a: idOf(claim.effect), b: idOf(claim.cause), relation: relationOf(claim.evidence) }];
    });
    // What speaks for another group, but not enough or less than for this one: one link to each.
    const others = new Map<number, Group["links"][number]>();
    for (const { effect, cause, evidence } of indexes.flatMap((index) => claimed.get(index) ?? [])) {
      const other = rootOf(roots, cause);
      if (other === root || others.has(other)) continue;
      const relation: Relation = { ...relationOf(evidence), strength: "link" };
      others.set(other, { a: idOf(effect), b: idOf(cause), relation });
    }
    return groupOf(spots[root] as Spot, own, [...between, ...within, ...others.values()]);
  });
}

/** Of the members of one trouble the one that the others come from; null where there are none. */
export function probableCause(
  members: readonly Symptom[],
  topology: Topology,
): { id: string; reason: string } | null {
  const terms = { window_ms: Number.POSITIVE_INFINITY, max_hops: 10 };
  const spots = spotsOf(place(members, topology), terms);
  const { roots } = choose(spots, claimsOf(spots, topology, terms));
  const trees = Map.groupBy(spots.keys(), (index) => rootOf(roots, index));
  const [best] = [...trees].sort(([a, one], [b, other]) => other.length - one.length || a - b);
  if (best === undefined) return null;
  const cause = nearestToCause((spots[best[0]] as Spot).members);
  return { id: cause.symptom.id, reason: causeReason(cause.name, best[1].length - 1) };
}
