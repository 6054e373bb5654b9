import type { Check } from "../../../../../contract/approval.ts";
import type { Cluster } from "../../cluster/client.ts";
import { failureOf } from "../../cluster/failure.ts";
import { type Autoscaler, listAll } from "../../cluster/objects.ts";
import type { WorkloadPlace } from "../../cluster/workload.ts";

type AutoscalerRange = { name: string; min: number; max: number };

/** Finds the autoscaler that sets a workload's number of replicas. */
async function autoscalerOf(
  cluster: Cluster,
  { kind, name, namespace }: WorkloadPlace,
): Promise<AutoscalerRange | undefined> {
  const version = (await cluster.discovery.version("autoscaling", ["v2", "v1"])) ?? "v1";
  const path = `/apis/autoscaling/${version}/namespaces/${encodeURIComponent(namespace)}/horizontalpodautoscalers`;
  const all = await listAll<Autoscaler>(cluster, path);
  const found = all.find(({ spec }) => {
    const { scaleTargetRef: target } = spec ?? {};
    return target?.kind.toLowerCase() === kind && target.name === name;
  });
  if (found === undefined) return undefined;
  const { minReplicas = 1, maxReplicas = 1 } = found.spec ?? {};
  return { name: found.metadata.name, min: minReplicas, max: maxReplicas };
}

/** Checks whether an autoscaler would revert `replicas`; with "at least", more replicas are fine as well. */
export async function autoscalerCheck(
  cluster: Cluster,
  place: WorkloadPlace,
  replicas: number,
  mode: "exactly" | "at least",
): Promise<Check> {
  const name = "autoscaler";
  try {
    const found = await autoscalerOf(cluster, place);
    if (found === undefined) return { name, passed: true, message: "no autoscaler scales it" };
    const { name: its, min, max } = found;
    const range = `${its} sets its replicas, ${min} to ${max}`;
    if (mode === "at least" && replicas <= max)
      return { name, passed: true, message: `${range}: it may change the number later` };
    // An autoscaler does not touch a workload that was scaled to 0.
    if (replicas === 0) return { name, passed: true, message: `${range}, but does not change 0` };
    const outside = replicas > max || replicas < min ? `, and ${replicas} is out of range` : "";
    return { name, passed: false, message: `${range}${outside}: it will change the number back` };
  } catch (error) {
    return {
      name,
      passed: false,
      message: `the autoscalers could not be read: ${failureOf(error).message}`,
    };
  }
}
