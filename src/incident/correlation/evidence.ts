/** Evidence that one symptom is the effect of another. */
import { isCommon } from "./names.ts";
import type { ResolvedSymptom } from "./resolve-symptoms.ts";
import { agree, needs, type Topology } from "./topology.ts";
import type { CorrelationTerms } from "./types.ts";

export type Evidence = { strength: "link" | "merge"; weight: number; reasons: string[] };

/** Returns the distance, in dependencies, from a service to each that it needs; cached, since many symptoms ask the same. */
export type Reach = (service: number) => ReadonlyMap<number, number>;

export function reachOf(topology: Topology, terms: CorrelationTerms): Reach {
  const remembered = new Map<number, ReadonlyMap<number, number>>();
  return (service) => {
    const found = remembered.get(service) ?? needs(topology, service, terms.max_hops);
    remembered.set(service, found);
    return found;
  };
}

/** Whether two symptoms may be related at all: clusters compatible, starts within the window. */
export function together(a: ResolvedSymptom, b: ResolvedSymptom, terms: CorrelationTerms): boolean {
  if (!agree(a.cluster, b.cluster)) return false;
  return a.at === null || b.at === null || Math.abs(a.at - b.at) <= terms.window_ms;
}

function span(milliseconds: number): string {
  const minutes = Math.ceil(milliseconds / 60_000);
  return minutes <= 1 ? "1 min" : `${minutes} min`;
}

/** Returns the time between two starts as a readable reason; empty where one is unknown. */
export function timeReason(a: ResolvedSymptom, b: ResolvedSymptom): string[] {
  return a.at === null || b.at === null
    ? []
    : [`started within ${span(Math.abs(a.at - b.at))} of each other`];
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
  // A cause is not the effect of a mere symptom, even if its text names that workload.
  const backwards = effect.kind.role === "cause" && cause.kind.role !== "cause";
  const near = !backwards && (agree(effect.namespace, cause.namespace) || graph);
  return {
    strength: near ? "merge" : "link",
    weight: near ? MENTIONED : 1,
    reasons: [`${effect.name || effect.symptom.alert_name} mentions ${cause.name} in its text`],
  };
}

/** Returns the evidence that `cause` brought about `effect`; null where there is none. */
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
