import type { Cluster } from "../cluster/client.ts";
import { pathOfResource, type Where } from "./resource.ts";
import { beginningOf, table } from "./text.ts";

type Usage = { cpu?: string; memory?: string };
type Metrics = {
  metadata: { name: string; namespace?: string };
  usage?: Usage;
  containers?: { name: string; usage: Usage }[];
};

/** The version of the metrics API; undefined: the cluster measures nothing. */
export const metricsVersion = (cluster: Cluster) =>
  cluster.discovery.version("metrics.k8s.io", ["v1", "v1beta1"]);

/** What pods or nodes use, as the metrics server measured it last. */
export async function topText(cluster: Cluster, where: Where, version: string): Promise<string> {
  const resource = { ...where.resource, group: "metrics.k8s.io", version };
  // What is measured has no fields to select by.
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
