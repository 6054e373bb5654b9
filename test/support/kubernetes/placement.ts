import type { V1Node, V1Pod, V1Taint } from "@kubernetes/client-node";

/** Whether a node says of itself that it is ready. */
const isReady = (node: V1Node): boolean =>
  node.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;

/**
 * The node that takes a pod: the one with the fewest of those that may. Otherwise why none does, in the
 * scheduler's words. `placed` names the nodes of all other pods.
 */
export function place(
  pod: V1Pod,
  nodes: readonly V1Node[],
  placed: readonly string[],
): { node: string } | { message: string } {
  const refusals = nodes.map((node) => refusal(pod, node));
  const open = nodes.filter((_, index) => refusals[index] === undefined);
  const load = (node: V1Node) => placed.filter((name) => name === node.metadata?.name).length;
  const best = open.toSorted((one, other) => load(one) - load(other))[0]?.metadata?.name;
  if (best !== undefined) return { node: best };
  const counted = Map.groupBy(refusals, (reason) => reason);
  const reasons = [...counted].map(([reason, all]) => `${all.length} node(s) ${reason}`).sort();
  return { message: `0/${nodes.length} nodes are available: ${reasons.join(", ")}.` };
}

/** Why the node does not take the pod; undefined when it does. */
function refusal(pod: V1Pod, node: V1Node): string | undefined {
  const labels = node.metadata?.labels ?? {};
  const wanted = Object.entries(pod.spec?.nodeSelector ?? {});
  if (wanted.some(([key, value]) => labels[key] !== value) || !isNamed(pod, node))
    return "didn't match Pod's node affinity";
  const tolerated = (taint: V1Taint) =>
    pod.spec?.tolerations?.some(
      ({ key, operator, value, effect }) =>
        (effect === undefined || effect === taint.effect) &&
        (key === undefined || key === taint.key) &&
        (operator === "Exists" || (value ?? "") === (taint.value ?? "")),
    );
  // Its taint is the node controller's, and comes a moment later.
  const cordon: V1Taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };
  if (node.spec?.unschedulable && !tolerated(cordon)) return "were unschedulable";
  const taint = node.spec?.taints?.find((one) => one.effect !== "PreferNoSchedule" && !tolerated(one));
  if (taint !== undefined)
    return `had taint {${taint.key}: ${taint.value ?? ""}}, that the pod didn't tolerate`;
  return isReady(node) ? undefined : "were not ready";
}

/** A daemon set names the node of each of its pods, by an affinity to that name. */
function isNamed(pod: V1Pod, node: V1Node): boolean {
  const terms =
    pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  const fields = terms?.flatMap(({ matchFields }) => matchFields ?? []) ?? [];
  return fields.length === 0 || fields.some(({ values }) => values?.includes(node.metadata?.name ?? ""));
}
