import type { Operation } from "../../../../operation/index.ts";
import type { Cluster } from "../cluster/client.ts";
import type { Resource } from "../cluster/discovery.ts";

/** Operations that only read. */
export type ReadOperation = Extract<Operation, { kind: `kubernetes.${"get" | "describe" | "logs" | "top"}` }>;

/** The objects that are read. */
export type ResourceRef = {
  resource: Resource;
  /** Undefined: all namespaces, or the resource is not namespaced. */
  namespace: string | undefined;
  name: string | undefined;
  query: { labelSelector?: string; fieldSelector?: string };
};

export type ResourceLookup = { ok: true; where: ResourceRef } | { ok: false; message: string };

/** Resolves what a read is of by the cluster's discovery. Refuses secrets, whatever name they are given by. */
export async function resourceRefOf(
  cluster: Cluster,
  { kind: operation, target, parameters }: ReadOperation,
): Promise<ResourceLookup> {
  const { resource: listed = "pods", selector, field_selector, all_namespaces } = parameters;
  const kind = target?.kind ?? (operation === "kubernetes.logs" ? "pods" : listed);
  const resource = await cluster.discovery.resource(kind);
  if (resource === undefined) return { ok: false, message: `${cluster.name} has no resource type ${kind}` };
  if (/secret/i.test(`${resource.name} ${resource.kind}`))
    return { ok: false, message: `${kind} contains secrets and is not read` };
  // Like kubectl when its context sets no namespace.
  const named = target?.namespace ?? parameters.namespace ?? (all_namespaces ? undefined : "default");
  const query = {
    ...(selector === undefined ? {} : { labelSelector: selector }),
    ...(field_selector === undefined ? {} : { fieldSelector: field_selector }),
  };
  const namespace = resource.namespaced ? named : undefined;
  return { ok: true, where: { resource, namespace, name: target?.name, query } };
}

export function pathOfResource({ resource, namespace, name }: ResourceRef): string {
  const { group, version, name: plural } = resource;
  const root = group === "" ? "/api" : `/apis/${group}`;
  const inside = namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}/${version}${inside}/${plural}${name === undefined ? "" : `/${encodeURIComponent(name)}`}`;
}
