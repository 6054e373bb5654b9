import type { Operation } from "../../../../operation/index.ts";
import type { Cluster } from "../cluster/client.ts";
import type { Resource } from "../cluster/discovery.ts";

/** The operations that only read. */
export type ReadOperation = Extract<Operation, { kind: `kubernetes.${"get" | "describe" | "logs" | "top"}` }>;

/** Where what is read lies. */
export type Where = {
  resource: Resource;
  /** Undefined: everywhere, or it lies in none. */
  namespace: string | undefined;
  name: string | undefined;
  query: { labelSelector?: string; fieldSelector?: string };
};

export type Found = { ok: true; where: Where } | { ok: false; message: string };

/** What a read is of, by what the cluster knows under that name. Secrets are not, whatever they are called. */
export async function whereOf(
  cluster: Cluster,
  { kind: operation, target, parameters }: ReadOperation,
): Promise<Found> {
  const { resource: listed = "pods", selector, field_selector, all_namespaces } = parameters;
  const kind = target?.kind ?? (operation === "kubernetes.logs" ? "pods" : listed);
  const resource = await cluster.discovery.resource(kind);
  if (resource === undefined)
    return { ok: false, message: `${cluster.name} has nothing that is called ${kind}` };
  if (/secret/i.test(`${resource.name} ${resource.kind}`))
    return { ok: false, message: `${kind} holds secrets` };
  // As kubectl does where its configuration names none.
  const named = target?.namespace ?? parameters.namespace ?? (all_namespaces ? undefined : "default");
  const query = {
    ...(selector === undefined ? {} : { labelSelector: selector }),
    ...(field_selector === undefined ? {} : { fieldSelector: field_selector }),
  };
  const namespace = resource.namespaced ? named : undefined;
  return { ok: true, where: { resource, namespace, name: target?.name, query } };
}

export function pathOfResource({ resource, namespace, name }: Where): string {
  const { group, version, name: plural } = resource;
  const root = group === "" ? "/api" : `/apis/${group}`;
  const inside = namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}/${version}${inside}/${plural}${name === undefined ? "" : `/${encodeURIComponent(name)}`}`;
}
