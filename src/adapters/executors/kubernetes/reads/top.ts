import type { Cluster } from "../cluster/client.ts";
import { pathOfResource, type ResourceRef } from "./resource.ts";
import { beginningOf, table } from "./text.ts";

type Usage = { cpu?: string; memory?: string };
type Metrics = {
  metadata: { name: string; namespace?: string };
  usage?: Usage;
  containers?: { name: string; usage: Usage }[];
};

/** Returns the version of the metrics API; undefined if the cluster has none. */
export const metricsVersion = (cluster: Cluster) =>
  cluster.discovery.version("metrics.k8s.io", ["v1", "v1beta1"]);

/** Returns the CPU and memory use of pods or nodes, as last measured by the metrics server. */
export async function topText(cluster: Cluster, where: ResourceRef, version: string): Promise<string> {
  const resource = { ...where.resource, group: "metrics.k8s.io", version };
  // The metrics API has no field selectors.
  const { labelSelector } = where.query;
  const query = labelSelector === undefined ? {} : { labelSelector };
  const path = pathOfResource({ ...where, resource });
  const found =
    where.name === undefined
      ? ((await cluster.raw<{ items: Metrics[] | null }>({ path, query })).items ?? [])
      : [await cluster.raw<Metrics>({ path })];
  const rows = found.flatMap(({ metadata, usage, containers = [] }) => {
    const name = metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
    const used = usage === undefined ? containers : [{ name: "", usage }];
    return used.map((one) => [name, one.name, one.usage.cpu ?? "", one.usage.memory ?? ""]);
  });
  return beginningOf(table([["NAME", "CONTAINER", "CPU", "MEMORY"], ...rows]));
}
