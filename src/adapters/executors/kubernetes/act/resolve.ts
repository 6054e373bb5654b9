import type { Resolution } from "../../../../execution/index.ts";
import { closeNames } from "../../../../lib/close-names.ts";
import type { Cluster } from "../cluster/client.ts";
import { failureOf, plain } from "../cluster/failure.ts";
import { controllerOf, type Meta, type ObjectRef, read, resourceOf } from "../cluster/objects.ts";

type NamedObject = { metadata: Meta };
const WORKLOADS = ["deployment", "statefulset", "daemonset", "job"] as const;
const SHOWN = 5;

/** Lists the metadata of a kind's objects in a namespace; empty if the server refuses. Fetches nothing else of them. */
async function namesOf(
  cluster: Cluster,
  kind: string,
  namespace: string | undefined,
): Promise<NamedObject[]> {
  const { group, version, resource } = resourceOf(kind);
  const root = group === "" ? "/api" : `/apis/${group}`;
  const where = namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  try {
    const { items } = await cluster.raw<{ items: NamedObject[] | null }>({
      path: `${root}/${version}${where}/${resource}`,
      query: { limit: 1_000 },
      accept: "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json",
    });
    // Older servers return null for an empty list.
    return items ?? [];
  } catch (error) {
    if (failureOf(error).status !== undefined) return [];
    throw error;
  }
}

/** Yields the owner names that a pod's name may begin with: its last one to three parts were added by controllers. */
function* ownersNames(pod: string): Generator<string> {
  const parts = pod.split("-");
  for (let last = parts.length - 1; last >= Math.max(parts.length - 3, 1); last -= 1)
    yield parts.slice(0, last).join("-");
}

/** Returns the workloads that a deleted pod may have belonged to, by its name, with the cron job that owns them, if any. */
async function ownersOf(cluster: Cluster, { name, namespace }: ObjectRef): Promise<string[]> {
  const candidates = [...ownersNames(name), name];
  const lists = await Promise.all(
    WORKLOADS.map(async (kind) => ({ kind, all: await namesOf(cluster, kind, namespace) })),
  );
  const found = lists.flatMap(({ kind, all }) =>
    all
      .filter(({ metadata }) => candidates.includes(metadata.name))
      .map((one) => ({ kind, ...one.metadata })),
  );
  // The longest name is the closest match: `api-worker` before `api`.
  found.sort((a, b) => b.name.length - a.name.length);
  return found.map((one) => {
    const controller = controllerOf(one as Meta);
    const above = controller?.kind === "CronJob" ? `, cronjob/${controller.name}` : "";
    return `${one.kind}/${one.name}${above}`;
  });
}

async function suggestions(cluster: Cluster, place: ObjectRef): Promise<string[]> {
  const { kind, name, namespace } = place;
  const same = await namesOf(cluster, kind, namespace);
  const names = same.map(({ metadata }) => metadata.name);
  const close = closeNames(name, names);
  if (kind === "node") return close;
  const owners = kind === "horizontalpodautoscaler" ? [] : await ownersOf(cluster, place);
  // Suggestions of the same kind are bare names, so that one can replace the name in the request.
  const own = owners.flatMap((one) => (one.startsWith(`${kind}/`) ? [one.slice(kind.length + 1)] : []));
  const others = owners.filter((one) => !one.startsWith(`${kind}/`));
  return kind === "pod" ? [...others, ...own, ...close] : [...own, ...close, ...others];
}

/** Tells whether an object of this exact name exists; if not, suggests what may have been meant. */
export async function resolveObject(cluster: Cluster, place: ObjectRef): Promise<Resolution> {
  const { kind, name, namespace } = place;
  try {
    await read(cluster, place);
    return { result: "hit" };
  } catch (error) {
    const failure = failureOf(error);
    if (failure.status !== 404) return { result: "error", message: failure.message };
  }
  const where = namespace === undefined ? "" : ` in namespace ${namespace}`;
  try {
    const names = [...new Set(await suggestions(cluster, place))]
      .slice(0, SHOWN)
      .map((one) => plain(one, 300));
    return names.length > 0
      ? { result: "suggestion", names }
      : { result: "miss", message: `there is no ${kind} ${name}${where} on ${cluster.name}` };
  } catch (error) {
    return { result: "error", message: failureOf(error).message };
  }
}
