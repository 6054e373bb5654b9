import { type Evidence, explains, type Reach, reachOf, timeReason, together } from "./evidence.ts";
import { isCommon } from "./names.ts";
import { type ResolvedSymptom, resolveSymptoms } from "./resolve-symptoms.ts";
import { isKnown, NOT_READY } from "./symptom-kinds.ts";
import type { Topology } from "./topology.ts";
import type { CorrelationTerms, Relation, Symptom } from "./types.ts";

/** Whether `effect` follows from what breaks the workload in `cause`; false where the kind of `effect` is unknown. */
function follows(effect: ResolvedSymptom, cause: ResolvedSymptom): boolean {
  if (cause.kind.role !== "cause" || cause.kind.rank <= effect.kind.rank) return false;
  const { role, name } = effect.kind;
  return isKnown(effect.kind) && (role === "effect" || role === "starved" || name === NOT_READY);
}

/**
 * Relates two symptoms of the same entity. They are merged only where one follows from the other: a full disk and a busy
 * processor of one machine may be unrelated.
 */
export function sameRelation(a: ResolvedSymptom, b: ResolvedSymptom): Relation {
  const where = a.namespace === "" ? "" : ` in ${a.namespace}`;
  const [rankA, rankB] = [a.kind.rank, b.kind.rank];
  return {
    strength: follows(a, b) || follows(b, a) ? "merge" : "link",
    reasons: [`both are about ${a.name}${where}`, ...timeReason(a, b)],
    upstream: rankA === rankB ? null : rankA > rankB ? "a" : "b",
  };
}

const relationOf = ({ strength, reasons }: Evidence, upstream: Relation["upstream"]): Relation => ({
  strength,
  reasons,
  upstream,
});

/** Returns a weak relation by a shared node or a name in both texts; null without one. */
function shared(a: ResolvedSymptom, b: ResolvedSymptom): Relation | null {
  const reasons: string[] = [];
  const node = [...a.nodes].find((one) => b.nodes.has(one));
  if (node !== undefined) reasons.push("both are on the same node");
  const named = [...a.mentions].find((one) => b.mentions.has(one) && !isCommon(one));
  if (named !== undefined) reasons.push(`both texts mention ${named}`);
  if (reasons.length === 0) return null;
  return { strength: "link", reasons: [...reasons, ...timeReason(a, b)], upstream: null };
}

function relateResolved(
  a: ResolvedSymptom,
  b: ResolvedSymptom,
  reach: Reach,
  terms: CorrelationTerms,
): Relation | null {
  if (!together(a, b, terms)) return null;
  if (a.entity === b.entity) return sameRelation(a, b);
  const byB = explains(a, b, reach, terms);
  const byA = explains(b, a, reach, terms);
  const worth = (one: Evidence | null) =>
    one === null ? 0 : one.weight + (one.strength === "merge" ? 100 : 0);
  if (byA === null && byB === null) return shared(a, b);
  if (worth(byA) === worth(byB)) return relationOf(byA as Evidence, null);
  return worth(byA) > worth(byB) ? relationOf(byA as Evidence, "a") : relationOf(byB as Evidence, "b");
}

/** Returns how two symptoms are related, by their alerts and the dependency graph alone; null when they are not. */
export function relate(a: Symptom, b: Symptom, topology: Topology, terms: CorrelationTerms): Relation | null {
  const [first, second] = resolveSymptoms([a, b], topology);
  if (first === undefined || second === undefined) return null;
  return relateResolved(first, second, reachOf(topology, terms), terms);
}
