/** What speaks for one symptom being the effect of another. */
import { isCommon } from "./names.ts";
import type { ResolvedSymptom } from "./resolve-symptoms.ts";
import { agree, needs, type Topology } from "./topology.ts";
import type { CorrelationTerms } from "./types.ts";

export type Evidence = { strength: "link" | "merge"; weight: number; reasons: string[] };

/** Steps from a service to all that it needs; remembered, for many symptoms ask for the same. */
export type Reach = (service: number) => ReadonlyMap<number, number>;

export function reachOf(topology: Topology, terms: CorrelationTerms): Reach {
  const remembered = new Map<number, ReadonlyMap<number, number>>();
  return (service) => {
    const found = remembered.get(service) ?? needs(topology, service, terms.max_hops);
    remembered.set(service, found);
    return found;
  };
}

/** Whether two may have to do with each other at all. */
export function together(a: ResolvedSymptom, b: ResolvedSymptom, terms: CorrelationTerms): boolean {
  if (!agree(a.cluster, b.cluster)) return false;
  return a.at === null || b.at === null || Math.abs(a.at - b.at) <= terms.window_ms;
}

function span(milliseconds: number): string {
  const minutes = Math.ceil(milliseconds / 60_000);
  return minutes <= 1 ? "1 min" : `${minutes} min`;
}

/** How near in time, for people; empty where a time is unknown. */
export function timeReason(a: ResolvedSymptom, b: ResolvedSymptom): string[] {
  return a.at === null || b.at === null ? [] : [`both within ${span(Math.abs(a.at - b.at))}`];
}

const hops = (count: number) => (count === 1 ? "directly" : `${count} hops`);

const MENTIONED = 4;
const ON_NODE = 6;

function byNode(effect: ResolvedSymptom, cause: ResolvedSymptom, reach: Reach): Evidence | null {
  if (!cause.is_node || cause.kind.role !== "cause" || effect.is_node) return null;
  const known = effect.service !== undefined && cause.service !== undefined;
  const resolved = known && reach(effect.service as number).get(cause.service as number) === 1;
  if (!resolved && !effect.nodes.has(cause.folded)) return null;
  return {
    strength: "merge",
    weight: ON_NODE,
    reasons: [`${effect.name} runs on ${cause.name}`],
  };
}

function byGraph(effect: ResolvedSymptom, cause: ResolvedSymptom, reach: Reach): Evidence | null {
  if (effect.service === undefined || cause.service === undefined) return null;
  if (effect.kind.role === "apart" || cause.kind.role === "apart") return null;
  const down = reach(effect.service).get(cause.service);
  if (down !== undefined && effect.kind.role !== "starved") {
    const strength = effect.kind.role === "effect" ? "merge" : "link";
    const reason = `${effect.name} depends on ${cause.name} (${hops(down)})`;
    return { strength, weight: 4 - down, reasons: [reason] };
  }
  const up = reach(cause.service).get(effect.service);
  if (up !== undefined && effect.kind.role === "starved") {
    const reason = `${effect.name} gets its work from ${cause.name} (${hops(up)})`;
    return { strength: "merge", weight: 3.5 - up, reasons: [reason] };
  }
  return null;
}

function byText(effect: ResolvedSymptom, cause: ResolvedSymptom, graph: boolean): Evidence | null {
  if (cause.folded === "" || !effect.mentions.has(cause.folded)) return null;
  if (isCommon(cause.folded) && !graph) return null;
  // What breaks by itself is not the effect of what only suffers, though a text beside it names that.
  const backwards = effect.kind.role === "cause" && cause.kind.role !== "cause";
  const near = !backwards && (agree(effect.namespace, cause.namespace) || graph);
  return {
    strength: near ? "merge" : "link",
    weight: near ? MENTIONED : 1,
    reasons: [`${effect.name || effect.symptom.alert_name} names ${cause.name} in its text`],
  };
}

/** What speaks for `cause` having brought about `effect`; null when nothing does. */
export function explains(
  effect: ResolvedSymptom,
  cause: ResolvedSymptom,
  reach: Reach,
  terms: CorrelationTerms,
): Evidence | null {
  if (effect.entity === cause.entity || !together(effect, cause, terms)) return null;
  const graph = byGraph(effect, cause, reach);
  const found = [byNode(effect, cause, reach), byText(effect, cause, graph !== null), graph].filter(
    (one) => one !== null,
  );
  if (found.length === 0) return null;
  const late = effect.at !== null && cause.at !== null && effect.at < cause.at - terms.window_ms / 2;
  const merges = !late && found.some((one) => one.strength === "merge");
  return {
    strength: merges ? "merge" : "link",
    weight: found.reduce((sum, one) => sum + one.weight, 0),
    reasons: [...found.flatMap((one) => one.reasons), ...timeReason(effect, cause)],
  };
}
