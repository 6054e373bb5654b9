import { clip } from "../../../../lib/clip.ts";
import type { Cluster } from "../cluster/client.ts";
import { failureOf } from "../cluster/failure.ts";
import type { Meta } from "../cluster/objects.ts";

/** Which namespaces may be read; if `allowed_namespaces` is empty, all that are not denied. */
export type Namespaces = { allowed_namespaces: readonly string[]; denied_namespaces: readonly string[] };

export const mayRead = (
  { allowed_namespaces: allowed, denied_namespaces: denied }: Namespaces,
  namespace: string,
) => !denied.includes(namespace) && (allowed.length === 0 || allowed.includes(namespace));

/** An object that a name may mean, with the reason. */
export type Hit = { kind: string; name: string; namespace?: string; reason: string };

/** The reason of a hit that was found by its name alone. */
export const HAS_THIS_NAME = "it has this name";

/** Limit of requests of one search in one cluster. About 40 are usual, times the namespaces if listed one by one. */
const REQUESTS = 1_000;
/** The most namespaces that are listed one by one. */
const MOST_NAMESPACES = 20;
/** The most entries that are read of a list. */
export const MOST_ENTRIES = 500;
// The most denied namespaces in a selector: proxies refuse longer URLs.
const MOST_EXCLUDED = 20;

/** One search in one cluster: it limits the requests and collects what could not be read. */
export class Search {
  readonly cluster: Cluster;
  readonly namespaces: Namespaces;
  readonly signal: AbortSignal;
  /** What could not be read, as text. Unless it is empty, a hit is not certain to be the only one. */
  readonly unread = new Set<string>();
  #left = REQUESTS;

  constructor(cluster: Cluster, namespaces: Namespaces, signal: AbortSignal) {
    this.cluster = cluster;
    this.namespaces = namespaces;
    this.signal = signal;
  }

  /** Returns the JSON of the answer. Undefined on failure, with the reason in `unread` unless it is a 404. */
  async ask<T>(
    what: string,
    permission: string,
    path: string,
    query: Record<string, string | number> = {},
    accept?: string,
  ) {
    if (this.signal.aborted || this.#left <= 0) {
      this.unread.add(
        this.signal.aborted
          ? `${what}: the time limit was reached`
          : `${what}: the limit of requests was reached`,
      );
      return undefined;
    }
    this.#left -= 1;
    try {
      return await this.cluster.raw<T>({
        path,
        query,
        signal: this.signal,
        ...(accept === undefined ? {} : { accept }),
      });
    } catch (error) {
      const { status, message } = failureOf(error);
      if (status === 404) return undefined;
      const why =
        status === 403
          ? `not allowed: the permission to ${permission} is missing`
          : this.signal.aborted
            ? "the time limit was reached"
            : clip(message, 300);
      this.unread.add(`${what}: ${why}`);
      return undefined;
    }
  }
}

/** A kind of object with the API paths of its versions, of which the first that the cluster has is used. */
export type Listed = { paths: readonly string[]; plural: string };
const of = (plural: string, ...paths: string[]): Listed => ({ plural, paths });

const LISTED = {
  deployment: of("deployments", "/apis/apps/v1"),
  statefulset: of("statefulsets", "/apis/apps/v1"),
  daemonset: of("daemonsets", "/apis/apps/v1"),
  replicaset: of("replicasets", "/apis/apps/v1"),
  job: of("jobs", "/apis/batch/v1"),
  cronjob: of("cronjobs", "/apis/batch/v1", "/apis/batch/v1beta1"),
  pod: of("pods", "/api/v1"),
  service: of("services", "/api/v1"),
  persistentvolumeclaim: of("persistentvolumeclaims", "/api/v1"),
  endpoints: of("endpoints", "/api/v1"),
  endpointslice: of("endpointslices", "/apis/discovery.k8s.io/v1", "/apis/discovery.k8s.io/v1beta1"),
  horizontalpodautoscaler: of("horizontalpodautoscalers", "/apis/autoscaling/v1"),
  ingress: of("ingresses", "/apis/networking.k8s.io/v1", "/apis/networking.k8s.io/v1beta1"),
} as const satisfies Record<string, Listed>;
export type ListedKind = keyof typeof LISTED;
export const isListed = (kind: string): kind is ListedKind => Object.hasOwn(LISTED, kind);

export type NamedObject = { metadata: Meta };
// Older servers return null for an empty list.
type Page<T> = { items: T[] | null; metadata?: { continue?: string } };

const PARTIAL = (what: string) => `application/json;as=${what};g=meta.k8s.io;v=v1,application/json`;

type Query = {
  fieldSelector?: string | undefined;
  labelSelector?: string | undefined;
  /** Search this namespace only; undefined: all namespaces that may be read. */
  namespace?: string | undefined;
  /** Fetch whole objects, not only their metadata. */
  whole?: boolean;
};

/** Returns the namespaces to list one by one, or `[null]` to list all at once. */
function placesOf(search: Search, what: string, namespace: string | undefined): (string | null)[] {
  const { allowed_namespaces: allowed } = search.namespaces;
  const wanted = namespace === undefined ? allowed : [namespace];
  const readable = wanted.filter((one) => mayRead(search.namespaces, one));
  if (namespace !== undefined && readable.length === 0)
    search.unread.add(
      `${what} in ${namespace}: the namespace may not be read (kubernetes.allowed_namespaces)`,
    );
  if (readable.length > MOST_NAMESPACES)
    search.unread.add(`${what}: only ${MOST_NAMESPACES} of ${readable.length} namespaces were read`);
  return wanted.length > 0 ? readable.slice(0, MOST_NAMESPACES) : [null];
}

/** Lists the objects of a kind in the namespaces that may be read. What could not be read is noted in `unread`. */
export async function list<T extends NamedObject = NamedObject>(
  search: Search,
  kind: ListedKind,
  query: Query,
): Promise<T[]> {
  const { paths, plural } = LISTED[kind] as Listed;
  const { denied_namespaces: denied } = search.namespaces;
  const excluded = denied.slice(0, MOST_EXCLUDED).map((one) => `metadata.namespace!=${one}`);
  const lists = placesOf(search, plural, query.namespace).map(async (place) => {
    const where = place === null ? "all namespaces" : place;
    const field = [query.fieldSelector, ...(place === null ? excluded : [])].filter(Boolean).join(",");
    for (const path of paths) {
      const page = await search.ask<Page<T>>(
        `${plural} in ${where}`,
        `list ${plural} in ${where}`,
        `${path}${place === null ? "" : `/namespaces/${encodeURIComponent(place)}`}/${plural}`,
        {
          limit: MOST_ENTRIES,
          ...(field === "" ? {} : { fieldSelector: field }),
          ...(query.labelSelector === undefined ? {} : { labelSelector: query.labelSelector }),
        },
        query.whole ? undefined : PARTIAL("PartialObjectMetadataList"),
      );
      if (page === undefined) continue;
      if (page.metadata?.continue)
        search.unread.add(`${plural} in ${where}: only the first ${MOST_ENTRIES} were read`);
      return page.items ?? [];
    }
    return [];
  });
  const found = (await Promise.all(lists)).flat();
  return found.filter(
    ({ metadata: { namespace } }) => namespace === undefined || mayRead(search.namespaces, namespace),
  );
}

/** Lists the objects of exactly this name. */
export const listNamed = <T extends NamedObject = NamedObject>(
  search: Search,
  kind: ListedKind,
  name: string,
  query: Query = {},
) => list<T>(search, kind, { ...query, fieldSelector: `metadata.name=${name}` });

/** Reads the metadata of one object; undefined if it does not exist or could not be read. */
export async function identity(
  search: Search,
  kind: ListedKind,
  namespace: string,
  name: string,
): Promise<Meta | undefined> {
  const { paths, plural } = LISTED[kind] as Listed;
  for (const path of paths) {
    const found = await search.ask<NamedObject>(
      `${plural} in ${namespace}`,
      `get ${plural} in ${namespace}`,
      `${path}/namespaces/${encodeURIComponent(namespace)}/${plural}/${encodeURIComponent(name)}`,
      {},
      PARTIAL("PartialObjectMetadata"),
    );
    if (found !== undefined) return found.metadata;
  }
  return undefined;
}
