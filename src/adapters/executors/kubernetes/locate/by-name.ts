import { controllerOf, Owners } from "./owners.ts";
import { HAS_THIS_NAME, type Hit, type ListedKind, list, listNamed, type Search } from "./search.ts";
import { backendsOfService, distinct, type Service } from "./service-backends.ts";
import { folded, isLabelValue, type Spelling, spellingsOf } from "./spellings.ts";

const WORKLOADS = ["deployment", "statefulset", "daemonset", "cronjob", "job"] as const;
/** Labels whose value names the application that has them. */
const NAMING_LABELS = [
  "app.kubernetes.io/name",
  "app.kubernetes.io/instance",
  "app",
  "k8s-app",
  "app.kubernetes.io/component",
] as const;
// The most services of one name that are followed: with more, the name is ambiguous anyway.
const MOST_SERVICES = 10;

const ownedBy = (meta: Parameters<typeof controllerOf>[0]) => {
  const owner = controllerOf(meta);
  return owner === undefined ? "" : `; owned by ${owner.kind} ${owner.name}`;
};

async function workloadsCalled(search: Search, { name, namespace }: Spelling): Promise<Hit[]> {
  const found = await Promise.all(
    WORKLOADS.map(async (kind) =>
      (await listNamed(search, kind, name, { namespace })).map(
        ({ metadata }): Hit => ({
          kind,
          name,
          ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
          reason: `${HAS_THIS_NAME}${ownedBy(metadata)}`,
        }),
      ),
    ),
  );
  return found.flat();
}

/** Returns the workloads that a service's name means; the service if it leads to none and nothing else is meant. */
function ofService(service: Service, behind: readonly Hit[], called: readonly Hit[], kind: string): Hit[] {
  const { name, namespace = "" } = service.metadata;
  const own = called.filter((one) => one.namespace === namespace);
  // A workload of the service's name is the service's own; others behind it are variants, such as a canary.
  const same = own.filter((one) =>
    behind.some((other) => other.kind === one.kind && other.name === one.name),
  );
  if (same.length > 0) return own;
  if (behind.length > 0) return [...own, ...behind];
  if (kind !== "service" && own.length > 0) return own;
  return [{ kind: "service", name, namespace, reason: `${HAS_THIS_NAME}, and selects no workload` }];
}

/** Finds the workloads of exactly this name, and those behind the services of this name. */
async function called(search: Search, spelling: Spelling, kind: string): Promise<Hit[]> {
  const { name, namespace } = spelling;
  const [workloads, services] = await Promise.all([
    workloadsCalled(search, spelling),
    listNamed<Service>(search, "service", name, { namespace, whole: true }),
  ]);
  if (services.length > MOST_SERVICES)
    search.unread.add(
      `services ${name}: the workloads of only ${MOST_SERVICES} of ${services.length} were read`,
    );
  const behind = await Promise.all(
    services
      .slice(0, MOST_SERVICES)
      .map(async (one) => ofService(one, await backendsOfService(search, one), workloads, kind)),
  );
  const elsewhere = workloads.filter(
    (one) => !services.some(({ metadata }) => metadata.namespace === one.namespace),
  );
  return distinct([...elsewhere, ...behind.flat()]);
}

/** Finds the workloads that have a naming label with one of these values, on themselves or on their pods. */
async function labelled(search: Search, said: readonly string[], namespace: string | undefined) {
  const values = [...new Set(said)].filter(isLabelValue).join(",");
  if (values === "") return [];
  const owners = new Owners(search);
  const of = async (label: string, kind: ListedKind) => {
    const fieldSelector = kind === "pod" ? "status.phase!=Succeeded" : undefined;
    const found = await list(search, kind, {
      namespace,
      labelSelector: `${label} in (${values})`,
      fieldSelector,
    });
    return Promise.all(
      found.map(({ metadata }) => owners.topOf(kind, metadata, `its label ${label} says so`)),
    );
  };
  const lists = NAMING_LABELS.flatMap((label) =>
    [...WORKLOADS, "pod" as const].map((kind) => of(label, kind)),
  );
  return distinct((await Promise.all(lists)).flat());
}

/** Finds objects with similar names (see `folded`): they are shown, never acted on. */
async function alike(search: Search, said: string, namespace: string | undefined): Promise<Hit[]> {
  const wanted = folded(said);
  if (wanted === "") return [];
  const kinds = [...WORKLOADS.filter((kind) => kind !== "job"), "service"] as const;
  const lists = kinds.map(async (kind) =>
    (await list(search, kind, { namespace }))
      .filter(({ metadata }) => folded(metadata.name) === wanted)
      .map(({ metadata }): Hit => {
        const { name, namespace: place = "" } = metadata;
        return { kind, name, namespace: place, reason: `it has a similar name${ownedBy(metadata)}` };
      }),
  );
  return (await Promise.all(lists)).flat();
}

/** The objects that a name was found to mean in one cluster. */
export type NameHits = { hits: Hit[]; alike: Hit[] };

/**
 * Finds what a name of a service or workload means: by the exact name of either, else by labels. `alike` is filled only
 * if both find nothing. Bounded by the search; of lists longer than 500, only the first 500 entries are read.
 */
export async function byName(
  search: Search,
  { kind, name: said, namespace }: { kind: string; name: string; namespace?: string | undefined },
): Promise<NameHits> {
  const spellings = spellingsOf(said, namespace);
  const exact = await Promise.all(spellings.map((one) => called(search, one, kind)));
  const hits = distinct(exact.flat());
  if (hits.length > 0) return { hits, alike: [] };
  // For a DNS name or `namespace/name`, use the name and the namespace in it.
  const [one] = spellings.length === 1 ? spellings : [];
  const place = one?.namespace ?? namespace;
  const name = one?.name ?? said;
  const byLabel = await labelled(search, [said, said.toLowerCase(), name], place);
  if (byLabel.length > 0) return { hits: byLabel, alike: [] };
  return { hits: [], alike: await alike(search, name, place) };
}
