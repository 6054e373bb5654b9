import { clip } from "../../../../lib/clip.ts";
import { changesSomething, type Operation } from "../../../../operation/index.ts";
import type { Cluster, Clusters } from "./client.ts";
import type { KubernetesConfig } from "./config.ts";

export type Limits = Pick<
  KubernetesConfig,
  "allowed_namespaces" | "denied_namespaces" | "protected_namespaces"
>;

/** Returns why a namespace may not be read or, if `changes`, changed; undefined if it may. */
export function namespaceRefusal(limits: Limits, namespace: string, changes: boolean): string | undefined {
  const {
    allowed_namespaces: allowed,
    denied_namespaces: denied,
    protected_namespaces: protectedNamespaces,
  } = limits;
  if (denied.includes(namespace)) return `namespace ${namespace} is denied (kubernetes.denied_namespaces)`;
  if (allowed.length > 0 && !allowed.includes(namespace))
    return `namespace ${namespace} is not allowed (kubernetes.allowed_namespaces: ${allowed.join(", ")})`;
  if (changes && protectedNamespaces.includes(namespace))
    return `namespace ${namespace} is protected: nothing there is changed (kubernetes.protected_namespaces)`;
  return undefined;
}

type ClusterLookup = { ok: true; cluster: Cluster } | { ok: false; message: string };

/** Returns the cluster that an operation is for, or why it may not be executed. Never falls back to another cluster. */
export function clusterFor(clusters: Clusters, limits: Limits, operation: Operation): ClusterLookup {
  const { target, parameters } = operation;
  const { cluster: name, namespace } = (target ?? parameters) as { cluster?: string; namespace?: string };
  // Never guess which of several clusters a change is for: the default could be the wrong one.
  if (name === undefined && clusters.names.length > 1 && changesSomething(operation))
    return { ok: false, message: `no cluster is named, and there are several: ${clusters.names.join(", ")}` };
  const cluster = clusters.of(name);
  if (cluster === undefined) {
    const known = clusters.names.join(", ");
    return { ok: false, message: `no cluster "${clip(name ?? "", 100)}" is configured; there are: ${known}` };
  }
  const bounds =
    namespace === undefined ? undefined : namespaceRefusal(limits, namespace, changesSomething(operation));
  return bounds === undefined ? { ok: true, cluster } : { ok: false, message: bounds };
}
