import type { OperationTarget } from "../../../../contract/incident.ts";
import type { Cluster } from "../cluster/client.ts";
import { probableOwnersOfPod } from "../facts/read-root.ts";
import { byName, type NameHits } from "./by-name.ts";
import { type Choice, type ClusterHits, choose } from "./choose.ts";
import { nodesOf } from "./nodes.ts";
import { ofAutoscaler, ofIngress, ofVolume } from "./routes.ts";
import {
  HAS_THIS_NAME,
  type Hit,
  isListed,
  type ListedKind,
  listNamed,
  type Namespaces,
  Search,
} from "./search.ts";
import { isNamespaceName, isObjectName, type Spelling, spellingsOf } from "./spellings.ts";

export { HAS_THIS_NAME, mayRead, type Namespaces } from "./search.ts";

/** Kinds that are read directly, without a search, if the alert has kind, name and namespace. */
const PLAIN = new Set([
  "deployment",
  "statefulset",
  "daemonset",
  "replicaset",
  "pod",
  "job",
  "cronjob",
  "persistentvolumeclaim",
]);
const ROUTED = new Set([
  "unknown",
  "service",
  "node",
  "host",
  "horizontalpodautoscaler",
  "ingress",
  "persistentvolume",
]);

/** Tells whether targets of this kind can be searched for. */
export const isLocated = (kind: string): boolean => PLAIN.has(kind) || ROUTED.has(kind);

/** Tells whether a target identifies exactly one object within a cluster. */
export const isExact = ({ kind, name, namespace = "" }: OperationTarget): boolean =>
  PLAIN.has(kind) && isObjectName(name) && isNamespaceName(namespace);

async function ofKind(search: Search, kind: ListedKind, { name, namespace }: Spelling): Promise<Hit[]> {
  const called = async (of: ListedKind, one: string, reason: string) =>
    (await listNamed(search, of, one, { namespace })).map(
      ({ metadata }): Hit => ({
        kind: of,
        name: metadata.name,
        ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
        reason,
      }),
    );
  const own = await called(kind, name, HAS_THIS_NAME);
  if (own.length > 0 || kind !== "pod") return own;
  const gone = `the pod ${name} no longer exists, and this is its probable owner`;
  return (await Promise.all(probableOwnersOfPod(name).map((one) => called(one.kind, one.name, gone)))).flat();
}

async function byKind(search: Search, { kind, name, namespace }: OperationTarget): Promise<Hit[]> {
  if (kind === "node" || kind === "host") return nodesOf(search, name);
  const [spelling] = spellingsOf(name, namespace);
  if (spelling === undefined) return [];
  switch (kind) {
    case "horizontalpodautoscaler":
      return ofAutoscaler(search, spelling);
    case "ingress":
      return ofIngress(search, spelling);
    case "persistentvolume":
      return ofVolume(search, spelling);
    default:
      return isListed(kind) ? ofKind(search, kind, spelling) : [];
  }
}

async function meant(search: Search, target: OperationTarget): Promise<NameHits> {
  const { kind, name, namespace } = target;
  if (namespace !== undefined && !isNamespaceName(namespace)) return { hits: [], alike: [] };
  if (kind === "unknown" || kind === "service") return byName(search, { kind, name, namespace });
  return { hits: await byKind(search, target), alike: [] };
}

export type Located = { choice: Choice; cluster: Cluster | undefined; unread: string[] };

/**
 * Finds the object that a target means, in the readable namespaces of these clusters. Searches all of them in parallel,
 * each with a bounded number of requests, until `signal` is aborted. Never throws.
 */
export async function locate(
  clusters: readonly Cluster[],
  namespaces: Namespaces,
  target: OperationTarget,
  { signal, several }: { signal: AbortSignal; several: boolean },
): Promise<Located> {
  const looked = await Promise.all(
    clusters.map(async (cluster) => {
      const search = new Search(cluster, namespaces, signal);
      const { hits, alike } = await meant(search, target);
      // The name from the alert, which may be an alias; else its own name, but only if there are several clusters.
      const named = target.cluster ?? (several ? cluster.name : undefined);
      const unread = [...search.unread].map((one) => (several ? `cluster ${cluster.name}: ${one}` : one));
      const found: ClusterHits = { cluster: named, hits, alike, unread };
      return { cluster, found };
    }),
  );
  const all = looked.map(({ found }) => found);
  const choice = choose(all, clusters.length === 1 && target.namespace !== undefined);
  const from = choice.result === "one" ? choice.from : undefined;
  return {
    choice,
    cluster: looked.find(({ found }) => found === from)?.cluster,
    unread: all.flatMap(({ unread }) => unread),
  };
}
