/** Resolves what each symptom is about, where that runs, and which other names its text mentions. */

import { subjectOfAlert } from "../../intake/index.ts";
import { fold, isCommon, namedIn, textOf, tokensOf } from "./names.ts";
import { type SymptomKind, symptomKindOf } from "./symptom-kinds.ts";
import type { Topology } from "./topology.ts";
import type { Symptom } from "./types.ts";

export type ResolvedSymptom = {
  symptom: Symptom;
  kind: SymptomKind;
  /** Equal for symptoms of one workload, node or volume. */
  entity: string;
  /** The name as written. */
  name: string;
  /** The name as compared; empty where the subject is unknown. */
  folded: string;
  cluster: string;
  namespace: string;
  service: number | undefined;
  /** Nodes that it is about or runs on, folded. */
  nodes: ReadonlySet<string>;
  /** Whether it is about a node. */
  is_node: boolean;
  /** Known names in its text other than its own, folded. */
  mentions: ReadonlySet<string>;
  /** Start in milliseconds; null when unknown. */
  at: number | null;
};

// Normalisation sets this namespace where the body has none.
const ASSUMED = "default";

function scopeOf({ alert_name, labels, cluster, namespace }: Symptom): {
  cluster: string;
  namespace: string;
} {
  const said = subjectOfAlert({ labels, alert_name });
  return {
    cluster: cluster || (said.cluster ?? ""),
    namespace: said.namespace ?? (namespace === ASSUMED ? "" : namespace),
  };
}

type LabelNames = {
  names: ReadonlySet<string>;
  clusters: ReadonlySet<string>;
  /** Namespaces given for each name. */
  namespaces: ReadonlyMap<string, ReadonlySet<string>>;
  clustersOf: ReadonlyMap<string, ReadonlySet<string>>;
};

/** Collects all names, clusters and namespaces in labels, to recognise them where only a text or an address names them. */
function labelNamesOf(symptoms: readonly Symptom[]): LabelNames {
  const names = new Set<string>();
  const clusters = new Set<string>();
  const namespaces = new Map<string, Set<string>>();
  const clustersOf = new Map<string, Set<string>>();
  const add = (map: Map<string, Set<string>>, name: string, where: string) => {
    if (where !== "") map.set(name, (map.get(name) ?? new Set()).add(where));
  };
  for (const symptom of symptoms) {
    const { cluster, namespace } = scopeOf(symptom);
    if (cluster !== "") clusters.add(cluster);
    const { workloads, nodes } = namedIn(symptom, symptom.services);
    for (const name of [...workloads, ...nodes].map(fold)) {
      names.add(name);
      add(namespaces, name, namespace);
      add(clustersOf, name, cluster);
    }
  }
  return { names, clusters, namespaces, clustersOf };
}

/** Returns the only element; empty where there are more or none. */
const only = (all: ReadonlySet<string> | undefined) => (all?.size === 1 ? ([...all][0] ?? "") : "");

type Subject = { name: string; folded: string; service: number | undefined; is_node: boolean };

function resolveSubject(
  { workloads, nodes, hosts }: ReturnType<typeof namedIn>,
  mentioned: readonly string[],
  scope: { cluster: string; namespace: string },
  topology: Topology,
): Subject {
  for (const name of workloads) {
    const service = topology.find(name, scope);
    if (service !== undefined) return subject(name, service, topology);
  }
  if (workloads[0] !== undefined) return subject(workloads[0], undefined, topology);
  for (const name of [...nodes, ...hosts]) {
    const service = topology.find(name, { ...scope, namespace: "" });
    return { ...subject(name, service, topology), is_node: true };
  }
  const named = mentioned.find((name) => !isCommon(name));
  if (named === undefined) return { name: "", folded: "", service: undefined, is_node: false };
  return subject(named, topology.find(named, scope), topology);
}

function subject(name: string, service: number | undefined, topology: Topology): Subject {
  const written = (service === undefined ? undefined : topology.services[service]?.name) ?? name;
  return { name: written, folded: fold(written), service, is_node: false };
}

/** Resolves what each symptom is about. Symptoms passed together help to understand each other's texts. */
export function resolveSymptoms(symptoms: readonly Symptom[], topology: Topology): ResolvedSymptom[] {
  const known = labelNamesOf(symptoms);
  const onlyCluster = only(known.clusters);
  return symptoms.map((symptom) => {
    const said = scopeOf(symptom);
    const named = namedIn(symptom, symptom.services);
    const tokens = tokensOf(textOf(symptom.annotations));
    const mentioned = tokens.filter((name) => known.names.has(name) || topology.has(name));
    const assumed = { cluster: said.cluster || onlyCluster, namespace: said.namespace };
    const about = resolveSubject(named, mentioned, assumed, topology);
    const own = new Set([about.folded, ...[...named.workloads, ...named.nodes].map(fold)]);
    const ofGraph = about.service === undefined ? undefined : topology.services[about.service];
    const cluster = assumed.cluster || ofGraph?.cluster || only(known.clustersOf.get(about.folded));
    const home = said.namespace || ofGraph?.namespace || only(known.namespaces.get(about.folded));
    const namespace = about.is_node ? "" : home;
    const kind = symptomKindOf(symptom);
    const kept = kind.role === "apart" ? [kind.name] : [];
    const entity =
      about.folded === "" ? `?${symptom.id}` : [cluster, namespace, about.folded, ...kept].join("\n");
    return {
      symptom,
      kind,
      entity,
      name: about.name,
      folded: about.folded,
      cluster,
      namespace,
      service: about.service,
      nodes: new Set([...named.nodes, ...(about.is_node ? [about.name] : [])].map(fold)),
      is_node: about.is_node,
      mentions: new Set(mentioned.filter((name) => !own.has(name))),
      at: symptom.starts_at?.getTime() ?? null,
    };
  });
}
