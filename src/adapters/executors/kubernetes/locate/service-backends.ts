import { picks } from "../facts/read-context.ts";
import { Owners } from "./owners.ts";
import { type Hit, identity, list, listNamed, type NamedObject, type Search } from "./search.ts";

export type Service = NamedObject & {
  spec?: { selector?: Record<string, string>; type?: string; externalName?: string };
};
type Workload = NamedObject & { spec?: { template?: { metadata?: { labels?: Record<string, string> } } } };
type Ref = { targetRef?: { kind?: string; name?: string } };
type Slice = NamedObject & { endpoints?: Ref[] | null };
type Endpoints = NamedObject & { subsets?: { addresses?: Ref[]; notReadyAddresses?: Ref[] }[] };

const TEMPLATED = ["deployment", "statefulset", "daemonset"] as const;
// The most pods of a service's endpoints whose owners are read.
const MOST_PODS = 20;
const RUNNING = "status.phase!=Succeeded,status.phase!=Failed";

/** Removes hits of the same object, keeping the reason that was found first. */
export function distinct(hits: readonly Hit[]): Hit[] {
  const seen = new Map<string, Hit>();
  for (const hit of hits) {
    const key = `${hit.kind}/${hit.namespace ?? ""}/${hit.name}`;
    if (!seen.has(key)) seen.set(key, hit);
  }
  return [...seen.values()];
}

const selectorText = (labels: Record<string, string>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");

/** Finds workloads by their template's labels, which works without pods; other owners by their pods. */
async function picked(search: Search, namespace: string, selector: Record<string, string>, reason: string) {
  const owners = new Owners(search);
  const [pods, ...workloads] = await Promise.all([
    list(search, "pod", { namespace, labelSelector: selectorText(selector), fieldSelector: RUNNING }),
    ...TEMPLATED.map(async (kind) =>
      (await list<Workload>(search, kind, { namespace, whole: true }))
        .filter(({ spec }) => picks({ matchLabels: selector }, spec?.template?.metadata?.labels))
        .map(({ metadata }): Hit => ({ kind, name: metadata.name, namespace, reason })),
    ),
  ]);
  const above = await Promise.all(pods.map(({ metadata }) => owners.topOf("pod", metadata, reason)));
  return distinct([...workloads.flat(), ...above]);
}

/** Returns the names of the pods in a service's endpoints; newer clusters have endpoint slices. */
async function addressed(search: Search, namespace: string, service: string): Promise<string[]> {
  const labelSelector = `kubernetes.io/service-name=${service}`;
  const slices = await list<Slice>(search, "endpointslice", { namespace, labelSelector, whole: true });
  const older =
    slices.length > 0
      ? []
      : await listNamed<Endpoints>(search, "endpoints", service, { namespace, whole: true });
  const refs = [
    ...slices.flatMap(({ endpoints }) => endpoints ?? []),
    ...older.flatMap(({ subsets = [] }) =>
      subsets.flatMap(({ addresses = [], notReadyAddresses = [] }) => [...addresses, ...notReadyAddresses]),
    ),
  ];
  const pods = refs.flatMap(({ targetRef: ref }) =>
    ref?.kind === "Pod" && ref.name !== undefined ? [ref.name] : [],
  );
  return [...new Set(pods)];
}

/** Finds the owners of the pods that a service leads to. */
export async function backendsOfService(search: Search, { metadata, spec }: Service): Promise<Hit[]> {
  const { name, namespace = "" } = metadata;
  const selector = spec?.selector ?? {};
  if (Object.keys(selector).length > 0)
    return picked(search, namespace, selector, `the service ${name} selects its pods`);
  const pods = await addressed(search, namespace, name);
  if (pods.length > MOST_PODS)
    search.unread.add(
      `endpoints of service ${name} in ${namespace}: only ${MOST_PODS} of ${pods.length} were read`,
    );
  const owners = new Owners(search);
  const found = await Promise.all(
    pods.slice(0, MOST_PODS).map(async (pod) => {
      const meta = await identity(search, "pod", namespace, pod);
      return meta === undefined
        ? []
        : [await owners.topOf("pod", meta, `the service ${name} routes to its pods`)];
    }),
  );
  return distinct(found.flat());
}
