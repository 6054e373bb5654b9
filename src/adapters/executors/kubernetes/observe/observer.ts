import type { Check } from "../../../../contract/approval.ts";
import type { Observer, PerformedAction } from "../../../../verification/index.ts";
import { stateOfAutoscaler } from "../act/snapshot.ts";
import { namespaceRefusal } from "../cluster/allowed-cluster.ts";
import type { Cluster, Clusters } from "../cluster/client.ts";
import type { KubernetesConfig } from "../cluster/config.ts";
import { failureOf } from "../cluster/failure.ts";
import { type Autoscaler, read } from "../cluster/objects.ts";
import { nodeFacts } from "./node.ts";
import { podFacts } from "./pod.ts";
import { changeFact, workloadFacts } from "./workload.ts";

type Target = Parameters<Observer["observe"]>[0];
type ObservationInput = { now: Date; settle: number; deed: PerformedAction | undefined };

const KINDS = new Set(["deployment", "statefulset", "daemonset", "horizontalpodautoscaler", "pod", "node"]);

async function factsOf(cluster: Cluster, target: Target, look: ObservationInput): Promise<Check[]> {
  const { kind, name, namespace = "default" } = target;
  switch (kind) {
    case "deployment":
    case "statefulset":
    case "daemonset":
      return workloadFacts(cluster, { kind, name, namespace }, look);
    case "pod":
      return podFacts(cluster, { kind, name, namespace }, look);
    case "node":
      return nodeFacts(cluster, name, look.deed);
    default: {
      const found = await read<Autoscaler>(cluster, { kind, name, namespace });
      return look.deed === undefined ? [] : [changeFact(look.deed, stateOfAutoscaler(found))];
    }
  }
}

/** Returns the observer, which checks whether a target is healthy and whether an operation on it took effect. */
export function createObserver(clusters: Clusters, config: KubernetesConfig): Observer {
  const { settle } = config;
  return {
    id: "kubernetes",
    tool: "kubernetes_describe",
    observes: ({ kind, cluster, namespace }) =>
      KINDS.has(kind) &&
      clusters.of(cluster) !== undefined &&
      (kind === "node" ||
        (namespace !== undefined && namespaceRefusal(config, namespace, false) === undefined)),
    async observe(target, now, deed) {
      const at = now.toISOString();
      const cluster = clusters.of(target.cluster);
      if (cluster === undefined) throw new Error(`no cluster "${target.cluster}" is configured`);
      try {
        const facts = await factsOf(cluster, target, { now, settle, deed });
        return { at, healthy: facts.length === 0 ? null : facts.every(({ passed }) => passed), facts };
      } catch (error) {
        const { status, message } = failureOf(error);
        const facts = [{ name: target.kind, passed: false, message }];
        return { at, healthy: status === 404 ? false : null, facts };
      }
    },
  };
}
