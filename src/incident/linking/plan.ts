import {
  type CorrelationTerms,
  correlate,
  type Group,
  type Relation,
  relate,
  type Symptom,
  type Topology,
} from "../correlation/index.ts";
import type { LessonRow, Link, Merge } from "./types.ts";

/** An active incident to correlate, with its symptom. */
export type Member = {
  id: string;
  fingerprint: string;
  notification_type: string;
  merged_into: string | null;
  created_at: Date;
  /** It is opened or reopened, or becomes trouble, now. */
  fresh: boolean;
  symptom: Symptom;
};

export type PlanOptions = {
  topology: Topology;
  terms: CorrelationTerms;
  /** False: what could be merged is only linked. */
  merge: boolean;
};

type Edge = { a: Member; b: Member; relation: Relation };
/** A unit of merging: an incident that is not an effect, with those of its effects that take part. */
type Node = { id: string; members: Member[]; edges: { to: Node; edge: Edge }[] };

// At most this many pairs per batch are checked for a relation weaker than a merge, or the cost of a storm would grow with
// the square of its incidents.
const PAIRS = 200;
// Links per incident in one batch.
const LINKS = 10;
// These types are never merged: information, about which no decision is made, and alerts about monitoring itself, each of
// which means that other trouble may go unseen.
const ALONE = ["TYPE-1", "TYPE-8M"];

/** Returns one key for two fingerprints, in either order. */
export const pairKey = (one: string, other: string): string =>
  one < other ? `${one} ${other}` : `${other} ${one}`;

/** Whether two incidents may be merged: only within one notification type, and never those in `ALONE`. */
const mergeable = (a: Member, b: Member) =>
  a.notification_type === b.notification_type && !ALONE.includes(a.notification_type);

/** Yields each fresh member with those before it, the nearest first. */
function* pairs(members: readonly Member[]): Generator<[Member, Member]> {
  const fresh = members.filter((member) => member.fresh).length;
  const share = Math.floor(PAIRS / Math.max(fresh, 1));
  for (const [at, member] of members.entries()) {
    if (!member.fresh) continue;
    for (let other = at - 1; other >= Math.max(at - share, 0); other -= 1)
      yield [members[other] as Member, member];
  }
}

/** Returns the edges between members: from correlation, and from lessons that people taught. */
function edgesOf(
  members: readonly Member[],
  groups: readonly Group[],
  lessons: readonly LessonRow[],
  options: PlanOptions,
): Edge[] {
  const byId = new Map(members.map((member) => [member.id, member]));
  const edges = new Map<string, Edge>();
  const add = (a: Member | undefined, b: Member | undefined, relation: Relation | null) => {
    if (a === undefined || b === undefined || relation === null || !(a.fresh || b.fresh)) return;
    const key = pairKey(a.id, b.id);
    if (edges.get(key)?.relation.strength !== "merge") edges.set(key, { a, b, relation });
  };
  const keys = Map.groupBy(members, (member) => member.fingerprint);
  const apart = new Set<string>();
  for (const { lesson, fingerprint, other_fingerprint, taught_by } of lessons) {
    if (lesson === "apart") apart.add(pairKey(fingerprint, other_fingerprint));
    else
      for (const a of keys.get(fingerprint) ?? [])
        for (const b of keys.get(other_fingerprint) ?? [])
          add(a, b, { strength: "merge", reasons: [`${taught_by} merged them before`], upstream: null });
  }
  for (const { links } of groups)
    for (const { a, b, relation } of links) add(byId.get(a), byId.get(b), relation);
  for (const [a, b] of pairs(members))
    if (!edges.has(pairKey(a.id, b.id)))
      add(a, b, asLink(relate(a.symptom, b.symptom, options.topology, options.terms)));
  return [...edges.values()].map(({ a, b, relation }) => {
    const merges = options.merge && mergeable(a, b) && !apart.has(pairKey(a.fingerprint, b.fingerprint));
    return { a, b, relation: merges ? relation : { ...relation, strength: "link" } };
  });
}

/** Weakens a relation to a link: correlation found stronger causes for both. */
const asLink = (relation: Relation | null): Relation | null =>
  relation === null ? null : { ...relation, strength: "link" };

function nodesOf(members: readonly Member[]): Map<string, Node> {
  const nodes = new Map<string, Node>();
  for (const member of members) {
    const id = member.merged_into ?? member.id;
    const node = nodes.get(id) ?? { id, members: [], edges: [] };
    node.members.push(member);
    nodes.set(id, node);
  }
  return nodes;
}

/** Returns the nodes reached from `from` by merge edges, breadth first, each with the edge that reached it. */
function reached(from: Node): Map<Node, Edge | null> {
  const order = new Map<Node, Edge | null>([[from, null]]);
  for (const [node] of order) {
    for (const { to, edge } of node.edges) if (!order.has(to)) order.set(to, edge);
  }
  return order;
}

const startOf = (member: Member) => member.symptom.starts_at ?? member.created_at;

/** Returns the node that was there first: a known incident goes before one that begins now. */
function earliest(nodes: readonly Node[]): Node {
  const keyOf = (node: Node) => {
    const own = node.members.find((member) => member.id === node.id);
    // The main incident is outside the window, and only its effects take part.
    return own === undefined
      ? ([0, 0, node.id] as const)
      : ([own.fresh ? 1 : 0, startOf(own).getTime(), node.id] as const);
  };
  return nodes.reduce((best, node) => {
    const [a, b] = [keyOf(best), keyOf(node)];
    const differs = [0, 1, 2].find((at) => a[at] !== b[at]);
    return differs !== undefined && (b[differs] as number) < (a[differs] as number) ? node : best;
  });
}

function mergesOf(group: readonly Node[], causes: ReadonlyMap<string, NonNullable<Group["cause"]>>): Merge[] {
  const members = group.flatMap((node) => node.members);
  // Where lessons join several groups, the first group provides the cause.
  const [cause] = members.flatMap((member) => causes.get(member.id) ?? []);
  const found = members.find((member) => member.id === cause?.id);
  // If the cause is itself an effect, the others join its main incident.
  const named = group.find((node) => node.id === (found?.merged_into ?? found?.id));
  const main = named ?? earliest(group);
  const cause_reason = found !== undefined && found.id === main.id ? (cause?.reason ?? null) : null;
  return [...reached(main)].flatMap(([node, edge]) => {
    if (edge === null) return [];
    const by = main.members.some((member) => member === edge.a || member === edge.b)
      ? []
      : [`through ${(node.members.includes(edge.a) ? edge.b : edge.a).symptom.alert_name}`];
    const reasons = [...edge.relation.reasons, ...by];
    return [{ effect_id: node.id, main_id: main.id, reasons, cause_reason }];
  });
}

/** Returns the links between members of different main incidents, at most `LINKS` for each `b`. */
function linksOf(edges: readonly Edge[], mainOf: (member: Member) => string): Link[] {
  const counts = new Map<string, number>();
  return edges.flatMap(({ a, b, relation }) => {
    const many = counts.get(b.id) ?? 0;
    if (mainOf(a) === mainOf(b) || many >= LINKS) return [];
    counts.set(b.id, many + 1);
    const cause = relation.upstream === null ? null : relation.upstream === "a" ? a : b;
    const cause_reason = cause === null ? null : (relation.reasons[0] ?? null);
    return [
      {
        incident_id: a.id,
        other_id: b.id,
        reasons: relation.reasons,
        cause_id: cause?.id ?? null,
        cause_reason,
      },
    ];
  });
}

/**
 * Plans how incidents that begin now relate to active ones and to each other: which become effects of which, and which are
 * only linked. `members` are in the order in which they began. Pure; the cost grows linearly with their number.
 */
export function planCorrelation(
  members: readonly Member[],
  lessons: readonly LessonRow[],
  options: PlanOptions,
): { merges: Merge[]; links: Link[] } {
  const groups = correlate(
    members.map((member) => member.symptom),
    options.topology,
    options.terms,
  );
  const causes = new Map(
    groups.flatMap(({ members: ids, cause }) =>
      cause === null ? [] : ids.map((id) => [id, cause] as const),
    ),
  );
  const edges = edgesOf(members, groups, lessons, options);
  const nodes = nodesOf(members);
  const nodeOf = (member: Member) => nodes.get(member.merged_into ?? member.id) as Node;
  for (const edge of edges) {
    const [one, other] = [nodeOf(edge.a), nodeOf(edge.b)];
    if (edge.relation.strength !== "merge" || one === other) continue;
    one.edges.push({ to: other, edge });
    other.edges.push({ to: one, edge });
  }
  const merges: Merge[] = [];
  const done = new Set<Node>();
  for (const node of nodes.values()) {
    if (done.has(node)) continue;
    const group = [...reached(node).keys()];
    for (const one of group) done.add(one);
    if (group.length > 1) merges.push(...mergesOf(group, causes));
  }
  const into = new Map(merges.map((merge) => [merge.effect_id, merge.main_id]));
  const mainOf = (member: Member) => {
    const id = member.merged_into ?? member.id;
    return into.get(id) ?? id;
  };
  return { merges, links: linksOf(edges, mainOf) };
}
