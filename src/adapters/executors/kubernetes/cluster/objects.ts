import type {
  V1ControllerRevision,
  V1DaemonSet,
  V1Deployment,
  V1HorizontalPodAutoscaler,
  V1Node,
  V1Pod,
  V1PodTemplateSpec,
  V1ReplicaSet,
  V1StatefulSet,
} from "@kubernetes/client-node";
import { canonicalJson, sha256 } from "../../../../lib/canonical-json.ts";
import type { Cluster } from "./client.ts";
import type { RawRequest } from "./raw-request.ts";

/** A type of the library as it is in JSON: times are strings. */
type Json<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? Json<Item>[]
    : T extends object
      ? { [Key in keyof T]: Json<T[Key]> }
      : T;

export type Meta = {
  name: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: { kind: string; name: string; uid: string; controller?: boolean }[];
};
type Stored<T> = Omit<Json<T>, "metadata"> & { metadata: Meta };
export type Deployment = Stored<V1Deployment>;
export type StatefulSet = Stored<V1StatefulSet>;
export type DaemonSet = Stored<V1DaemonSet>;
export type ReplicaSet = Stored<V1ReplicaSet>;
export type ControllerRevision = Stored<V1ControllerRevision>;
export type Autoscaler = Stored<V1HorizontalPodAutoscaler>;
export type Pod = Stored<V1Pod>;
export type Node = Stored<V1Node>;
export type Template = Json<V1PodTemplateSpec>;
/** An object that can be patched: a workload, an autoscaler, a node. */
export type Changeable = { metadata: Meta; spec?: object; status?: object };

export type ObjectRef = { kind: string; name: string; namespace?: string | undefined };

const KINDS: Record<string, { group: string; version: string; resource: string }> = {
  deployment: { group: "apps", version: "v1", resource: "deployments" },
  statefulset: { group: "apps", version: "v1", resource: "statefulsets" },
  daemonset: { group: "apps", version: "v1", resource: "daemonsets" },
  replicaset: { group: "apps", version: "v1", resource: "replicasets" },
  controllerrevision: { group: "apps", version: "v1", resource: "controllerrevisions" },
  // Every server has v1, and the fields used here are the same in v2.
  horizontalpodautoscaler: { group: "autoscaling", version: "v1", resource: "horizontalpodautoscalers" },
  job: { group: "batch", version: "v1", resource: "jobs" },
  pod: { group: "", version: "v1", resource: "pods" },
  node: { group: "", version: "v1", resource: "nodes" },
};

/** Tells whether operations exist for objects of this kind. */
export const isActedOn = (kind: string): boolean => Object.hasOwn(KINDS, kind);

/** Returns the API group, version and plural of a kind; throws for other kinds than those of `isActedOn`. */
export function resourceOf(kind: string): { group: string; version: string; resource: string } {
  const found = KINDS[kind];
  if (found === undefined) throw new Error(`${kind} is not a kind that operations change`);
  return found;
}

/** Returns the path of all objects of a kind, in one namespace or, if undefined, in all. */
export function listPath(kind: string, namespace?: string): string {
  const { group, version, resource } = resourceOf(kind);
  const root = group === "" ? "/api" : `/apis/${group}`;
  const where = namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}/${version}${where}/${resource}`;
}

/** Returns the path of one object. */
export function pathOf({ kind, name, namespace }: ObjectRef): string {
  return `${listPath(kind, namespace)}/${encodeURIComponent(name)}`;
}

export function read<T>(cluster: Cluster, place: ObjectRef, signal?: AbortSignal): Promise<T> {
  return cluster.raw<T>({ path: pathOf(place), signal });
}

// More than people look at; thousands of objects must not be held in memory for one card.
const LIST_LIMIT = 2_000;
// Older servers return null for an empty list.
type Page<T> = { items: T[] | null; metadata?: { continue?: string } };

/** Lists the objects of a path, in pages of 500; stops at 2,000. */
export async function listAll<T>(
  cluster: Cluster,
  path: string,
  query: NonNullable<RawRequest["query"]> = {},
  signal?: AbortSignal,
): Promise<T[]> {
  const found: T[] = [];
  for (let next: string | undefined; ; ) {
    const page = await cluster.raw<Page<T>>({
      path,
      query: { limit: 500, ...query, continue: next },
      signal,
    });
    found.push(...(page.items ?? []));
    next = page.metadata?.continue;
    if (!next || found.length >= LIST_LIMIT) return found;
  }
}

type Selector = {
  matchLabels?: Record<string, string> | undefined;
  matchExpressions?: { key: string; operator: string; values?: string[] | undefined }[] | undefined;
};

/** Returns a label selector in the form of a query parameter. */
export function selectorText({ matchLabels = {}, matchExpressions = [] }: Selector): string {
  const expressions = matchExpressions.map(({ key, operator, values = [] }) => {
    if (operator === "Exists") return key;
    if (operator === "DoesNotExist") return `!${key}`;
    return `${key} ${operator === "In" ? "in" : "notin"} (${values.join(",")})`;
  });
  return [...Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`), ...expressions].join(",");
}

/** Returns a pod template without the fields that differ between copies of the same template. */
export function normalTemplate(template: unknown): unknown {
  const copy = structuredClone(template ?? {}) as Record<string, unknown> & {
    metadata?: { labels?: Record<string, unknown>; annotations?: Record<string, unknown> };
  };
  delete copy.$patch;
  delete copy.metadata?.labels?.["pod-template-hash"];
  return withoutEmpty(copy);
}

/** Removes null values and empty annotations: servers write an absent value in several ways. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value)
    .map(([key, item]) => [key, withoutEmpty(item)] as const)
    .filter(([key, item]) => item !== null && !(key === "annotations" && isEmpty(item)));
  return Object.fromEntries(kept);
}
const isEmpty = (value: unknown) => typeof value === "object" && Object.keys(value ?? {}).length === 0;

/** Returns a hash that is equal for templates that create the same pods. */
export function templateHash(template: unknown): string {
  return sha256(canonicalJson(normalTemplate(template))).slice(0, 16);
}

export const controllerOf = (meta: Meta) => meta.ownerReferences?.find((one) => one.controller === true);
