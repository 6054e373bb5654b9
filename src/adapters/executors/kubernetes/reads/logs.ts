import type { Operation } from "../../../../operation/index.ts";
import type { Cluster } from "../cluster/client.ts";
import { failureOf } from "../cluster/failure.ts";
import { controllerOf, listAll, listPath, type Meta, type Pod, pathOf, read } from "../cluster/objects.ts";
import { podsOf, readWorkload, type WorkloadKind } from "../cluster/workload.ts";
import { pathOfResource, type ResourceRef } from "./resource.ts";
import { endOf, MAX_TEXT, shown } from "./text.ts";

type Logs = Extract<Operation, { kind: "kubernetes.logs" }>;

const MAX_PODS = 5;
const MAX_BYTES = 256 * 1024;
const STANDARD_TAIL = 200;

/** Returns the pods whose logs are meant. */
async function podsFor(cluster: Cluster, { target }: Logs, where: ResourceRef): Promise<Pod[]> {
  const namespace = where.namespace ?? "default";
  if (target === null) return listAll<Pod>(cluster, pathOfResource(where), where.query);
  const { kind, name } = target;
  if (kind === "pod") return [await read<Pod>(cluster, { kind, name, namespace })];
  if (kind === "replicaset" || kind === "job") {
    const { metadata } = await read<{ metadata: Meta }>(cluster, { kind, name, namespace });
    const all = await listAll<Pod>(cluster, listPath("pod", namespace));
    return all.filter((pod) => controllerOf(pod.metadata)?.uid === metadata.uid);
  }
  return podsOf(cluster, await readWorkload(cluster, { kind: kind as WorkloadKind, name, namespace }));
}

const newestFirst = (a: Pod, b: Pod) =>
  b.metadata.creationTimestamp.localeCompare(a.metadata.creationTimestamp);

function containersOf({ metadata, spec }: Pod, { container, all_containers }: Logs["parameters"]): string[] {
  if (container !== undefined) return [container];
  const names = (spec?.containers ?? []).map((one) => one.name);
  if (all_containers) return [...(spec?.initContainers ?? []).map((one) => one.name), ...names];
  const preferred = metadata.annotations?.["kubectl.kubernetes.io/default-container"];
  return [preferred ?? names[0] ?? ""];
}

async function logOf(
  cluster: Cluster,
  pod: Pod,
  container: string,
  parameters: Logs["parameters"],
): Promise<string> {
  const { previous, tail = STANDARD_TAIL, since_seconds } = parameters;
  const { name, namespace } = pod.metadata;
  try {
    const text = await cluster.rawText({
      path: `${pathOf({ kind: "pod", name, namespace })}/log`,
      query: { container, previous, tailLines: tail, sinceSeconds: since_seconds, limitBytes: MAX_BYTES },
      accept: "text/plain, application/json",
    });
    return text === "" ? "(no output)" : text;
  } catch (error) {
    return `(${failureOf(error).message})`;
  }
}

/** Returns the ends of containers' logs, of the newest pods first, without what looks like a secret. */
export async function logsText(cluster: Cluster, operation: Logs, where: ResourceRef): Promise<string> {
  const pods = (await podsFor(cluster, operation, where)).sort(newestFirst);
  if (pods.length === 0) return "no pods found";
  const parts = pods
    .slice(0, MAX_PODS)
    .flatMap((pod) => containersOf(pod, operation.parameters).map((container) => ({ pod, container })));
  const each = Math.floor(MAX_TEXT / parts.length) - 150;
  const texts = await Promise.all(
    parts.map(async ({ pod, container }) => {
      const text = shown(await logOf(cluster, pod, container, operation.parameters));
      return `== ${pod.metadata.name}/${container}\n${endOf(text, Math.max(each, 200))}`;
    }),
  );
  const more = pods.length - MAX_PODS;
  return [...texts, ...(more > 0 ? [`(and ${more} more pods)`] : [])].join("\n");
}
