import { CoreV1Api, RbacAuthorizationV1Api } from "@kubernetes/client-node";
import { until } from "../until.ts";
import { type Cluster, startCluster } from "./cluster.ts";

// Of this worker, whose files run one after the other; its processes end with it.
let shared: Promise<Cluster> | undefined;

const NOW = 0;

/** Removes what a file has made. Its kubelet is stopped, so nobody but we ends its pods. */
async function clear(cluster: Cluster, namespaces: ReadonlySet<string>): Promise<void> {
  const core = cluster.admin.makeApiClient(CoreV1Api);
  const rbac = cluster.admin.makeApiClient(RbacAuthorizationV1Api);
  const own = "metadata.namespace=default,metadata.name!=default";
  // Nothing is made in a namespace that ends; its pods would wait for a kubelet.
  for (const name of namespaces) await core.deleteNamespace({ name });
  for (const namespace of namespaces)
    await core.deleteCollectionNamespacedPod({ namespace, gracePeriodSeconds: NOW });
  await core.deleteCollectionNode();
  await core.deleteCollectionPersistentVolume();
  await core.deleteCollectionNamespacedServiceAccount({ namespace: "default", fieldSelector: own });
  for (const { metadata } of (await rbac.listClusterRoleBinding({})).items)
    if (metadata?.labels?.["kubernetes.io/bootstrapping"] === undefined)
      await rbac.deleteClusterRoleBinding({ name: metadata?.name ?? "" });
  for (const { metadata } of (await rbac.listClusterRole({})).items)
    if (metadata?.labels?.["kubernetes.io/bootstrapping"] === undefined)
      await rbac.deleteClusterRole({ name: metadata?.name ?? "" });
  const isGone = async () =>
    (await core.listNamespace()).items.every(({ metadata }) => !namespaces.has(metadata?.name ?? ""));
  await until(isGone, "the namespaces of the file to be gone");
}

/**
 * A cluster for tests that neither stop its API server nor start it with flags of their own: the next file of the
 * worker uses it too, with nothing left of this one, when `stop` has resolved.
 */
export async function shareCluster(): Promise<Cluster> {
  shared ??= startCluster();
  const cluster = await shared;
  const namespaces = new Set<string>();
  const refuse = () => Promise.reject(new Error("others use this cluster too: start one with startCluster"));
  return {
    ...cluster,
    async namespace() {
      const name = await cluster.namespace();
      namespaces.add(name);
      return name;
    },
    stopApiServer: refuse,
    startApiServer: refuse,
    async stop() {
      try {
        await clear(cluster, namespaces);
      } catch (error) {
        shared = undefined;
        await cluster.stop();
        throw error;
      }
    },
  };
}
