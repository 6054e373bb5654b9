import type { ActResult, Resolution } from "../../../../execution/index.ts";
import { closeNames } from "../../../../lib/close-names.ts";
import type { Handler } from "../act/kubernetes-operation.ts";
import { namespaceRefusal } from "../cluster/allowed-cluster.ts";
import type { Cluster } from "../cluster/client.ts";
import type { KubernetesConfig } from "../cluster/config.ts";
import { failureOf } from "../cluster/failure.ts";
import type { Meta } from "../cluster/objects.ts";
import { checkPermissions, type Permission } from "../cluster/permission.ts";
import { describeText } from "./describe.ts";
import { getText } from "./get.ts";
import { logsText } from "./logs.ts";
import { pathOfResource, type ReadOperation, type ResourceRef, resourceRefOf } from "./resource.ts";
import { metricsVersion, topText } from "./top.ts";

/** Returns what a read is of, or why it may not be read. */
async function admitted(cluster: Cluster, config: KubernetesConfig, operation: ReadOperation) {
  const found = await resourceRefOf(cluster, operation);
  if (!found.ok) return found;
  const { resource, namespace } = found.where;
  const limited = config.allowed_namespaces.length + config.denied_namespaces.length > 0;
  if (resource.namespaced && namespace === undefined && limited)
    return {
      ok: false as const,
      message: "not all namespaces may be read: name one (kubernetes.allowed_namespaces)",
    };
  const bounds = namespace === undefined ? undefined : namespaceRefusal(config, namespace, false);
  return bounds === undefined ? found : { ok: false as const, message: bounds };
}

async function textOf(cluster: Cluster, operation: ReadOperation, where: ResourceRef): Promise<ActResult> {
  const refused = (error: string): ActResult => ({ ok: false, error, sent: false });
  switch (operation.kind) {
    case "kubernetes.get":
      return { ok: true, output: await getText(cluster, where) };
    case "kubernetes.describe":
      return { ok: true, output: await describeText(cluster, where) };
    case "kubernetes.logs":
      return { ok: true, output: await logsText(cluster, operation, where) };
    case "kubernetes.top": {
      const version = await metricsVersion(cluster);
      if (version === undefined)
        return refused(`${cluster.name} has no metrics API: install a metrics server`);
      return { ok: true, output: await topText(cluster, where, version) };
    }
  }
}

async function resolveRead(cluster: Cluster, where: ResourceRef): Promise<Resolution> {
  const { name, resource } = where;
  if (name === undefined) return { result: "hit" };
  try {
    await cluster.raw({ path: pathOfResource(where) });
    return { result: "hit" };
  } catch (error) {
    if (failureOf(error).status !== 404) throw error;
  }
  const path = pathOfResource({ ...where, name: undefined });
  const { items } = await cluster.raw<{ items: { metadata: Meta }[] | null }>({
    path,
    query: { limit: 500 },
  });
  const names = closeNames(
    name,
    (items ?? []).map(({ metadata }) => metadata.name),
  ).slice(0, 5);
  if (names.length > 0) return { result: "suggestion", names };
  return { result: "miss", message: `there is no ${resource.kind} ${name} on ${cluster.name}` };
}

/** Returns the permission that a read needs. */
function permissionOf({ kind }: ReadOperation, { resource, namespace, name }: ResourceRef): Permission {
  const group = kind === "kubernetes.top" ? "metrics.k8s.io" : resource.group;
  const verb = name === undefined ? "list" : "get";
  return kind === "kubernetes.logs"
    ? { verb: "get", group: "", resource: "pods/log", namespace }
    : { verb, group, resource: resource.name, namespace, name };
}

/** Returns the handler of a read. A read has no effect to detect, so after a crash it is simply repeated. */
export function readingHandler(
  cluster: Cluster,
  config: KubernetesConfig,
  operation: ReadOperation,
): Handler {
  return {
    async resolve() {
      const found = await admitted(cluster, config, operation);
      return found.ok ? resolveRead(cluster, found.where) : { result: "miss", message: found.message };
    },
    async dryRun() {
      const found = await admitted(cluster, config, operation);
      if (!found.ok) return { checks: [{ name: "permission", passed: false, message: found.message }] };
      return { checks: [await checkPermissions(cluster, [permissionOf(operation, found.where)])] };
    },
    snapshot: async () => ({}),
    async act() {
      try {
        const found = await admitted(cluster, config, operation);
        return found.ok
          ? await textOf(cluster, operation, found.where)
          : { ok: false, error: found.message, sent: false };
      } catch (error) {
        const { message, status } = failureOf(error);
        return { ok: false, error: message, sent: false, ...(status === undefined ? {} : { status }) };
      }
    },
    effect: async () => "not_done",
  };
}
