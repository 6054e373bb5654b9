import { controllerOf, type Pod } from "../cluster/objects.ts";

export type DrainTerms = { ignore_daemonsets: boolean; delete_emptydir_data: boolean };

/** The pods of a node, sorted by what a drain does with them. */
export type Sorted = {
  /** Evicted. */
  evict: Pod[];
  /** Left alone: pods of daemon sets, and mirror pods, which the node itself runs. */
  leave: Pod[];
  /** Why the drain may not begin. */
  obstacles: string[];
};

const nameOf = ({ metadata }: Pod) => `${metadata.namespace}/${metadata.name}`;

const hasEmptyDir = (pod: Pod) => (pod.spec?.volumes ?? []).some((one) => one.emptyDir !== undefined);
const hasEnded = ({ status }: Pod) => status?.phase === "Succeeded" || status?.phase === "Failed";

function sort(pod: Pod, terms: DrainTerms): "evict" | "leave" | { obstacle: string } {
  if (pod.metadata.annotations?.["kubernetes.io/config.mirror"] !== undefined) return "leave";
  if (hasEnded(pod)) return "evict";
  const controller = controllerOf(pod.metadata);
  if (controller?.kind === "DaemonSet")
    return terms.ignore_daemonsets
      ? "leave"
      : { obstacle: "belongs to a daemon set, which would recreate it there" };
  if (controller === undefined) return { obstacle: "has no controller that would recreate it elsewhere" };
  if (hasEmptyDir(pod) && !terms.delete_emptydir_data) return { obstacle: "would lose its emptyDir data" };
  return "evict";
}

/** Sorts the pods of a node into those to evict, those to leave and obstacles. Pure. */
export function sortPods(pods: readonly Pod[], terms: DrainTerms): Sorted {
  const sorted: Sorted = { evict: [], leave: [], obstacles: [] };
  for (const pod of pods) {
    const where = sort(pod, terms);
    if (typeof where === "string") sorted[where].push(pod);
    else sorted.obstacles.push(`${nameOf(pod)} ${where.obstacle}`);
  }
  return sorted;
}
