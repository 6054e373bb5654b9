import { behindService, distinct, type Service } from "./behind.ts";
import { controllerOf, Owners } from "./owners.ts";
import { CALLED_SO, type Hit, type ListedKind, list, listNamed, type Search } from "./search.ts";
import { folded, isLabelValue, type Spelling, spellingsOf } from "./spellings.ts";

const WORKLOADS = ["deployment", "statefulset", "daemonset", "cronjob", "job"] as const;
/** Labels whose value is the name of what carries them. */
const NAMING_LABELS = [
  "app.kubernetes.io/name",
  "app.kubernetes.io/instance",
  "app",
  "k8s-app",
  "app.kubernetes.io/component",
] as const;
// More services of one name are not looked behind: by then it is no single one anyway.
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
          reason: `${CALLED_SO}${ownedBy(metadata)}`,
        }),
      ),
    ),
  );
  return found.flat();
}

/** A service that leads to nothing is what is meant, where a service was asked for or nothing else is called so. */
function ofService(service: Service, behind: readonly Hit[], called: readonly Hit[], kind: string): Hit[] {
  const { name, namespace = "" } = service.metadata;
  const own = called.filter((one) => one.namespace === namespace);
  // One of them is the service's own: the others that it also leads to are its kin, as a canary.
  const same = own.filter((one) =>
    behind.some((other) => other.kind === one.kind && other.name === one.name),
  );
  if (same.length > 0) return own;
  if (behind.length > 0) return [...own, ...behind];
  if (kind !== "service" && own.length > 0) return own;
  return [{ kind: "service", name, namespace, reason: `${CALLED_SO}, and leads to no workload` }];
}

/** The workloads and services of exactly this name, and what stands behind these. */
async function called(search: Search, spelling: Spelling, kind: string): Promise<Hit[]> {
  const { name, namespace } = spelling;
  const [workloads, services] = await Promise.all([
    workloadsCalled(search, spelling),
    listNamed<Service>(search, "service", name, { namespace, whole: true }),
  ]);
  if (services.length > MOST_SERVICES)
    search.unread.add(`services ${name}: only ${MOST_SERVICES} of ${services.length} were looked behind`);
  const behind = await Promise.all(
    services
      .slice(0, MOST_SERVICES)
      .map(async (one) => ofService(one, await behindService(search, one), workloads, kind)),
  );
  const elsewhere = workloads.filter(
    (one) => !services.some(({ metadata }) => metadata.namespace === one.namespace),
  );
  return distinct([...elsewhere, ...behind.flat()]);
}

/** What carries a label of this value, as itself or on its pods. */
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

/** What is called alike: shown, and never acted on. */
async function alike(search: Search, said: string, namespace: string | undefined): Promise<Hit[]> {
  const wanted = folded(said);
  if (wanted === "") return [];
  const kinds = [...WORKLOADS.filter((kind) => kind !== "job"), "service"] as const;
  const lists = kinds.map(async (kind) =>
    (await list(search, kind, { namespace }))
      .filter(({ metadata }) => folded(metadata.name) === wanted)
      .map(({ metadata }): Hit => {
        const { name, namespace: place = "" } = metadata;
        return { kind, name, namespace: place, reason: `it is called alike${ownedBy(metadata)}` };
      }),
  );
  return (await Promise.all(lists)).flat();
}

/** What a name was found to mean in one cluster. */
export type Meant = { hits: Hit[]; alike: Hit[] };

/**
 * What a name of a service or workload means, the most exact way that leads anywhere: its name or a service's, then
 * labels. `alike` only where nothing is exact. Bounded by the search; lists of more than 500 are not read to their end.
 */
export async function byName(
  search: Search,
  { kind, name: said, namespace }: { kind: string; name: string; namespace?: string | undefined },
): Promise<Meant> {
  const spellings = spellingsOf(said, namespace);
  const exact = await Promise.all(spellings.map((one) => called(search, one, kind)));
  const hits = distinct(exact.flat());
  if (hits.length > 0) return { hits, alike: [] };
  // Of a DNS name or `namespace/name` it is the name in it, and its own namespace, that count.
  const [one] = spellings.length === 1 ? spellings : [];
  const place = one?.namespace ?? namespace;
  const name = one?.name ?? said;
  const byLabel = await labelled(search, [said, said.toLowerCase(), name], place);
  if (byLabel.length > 0) return { hits: byLabel, alike: [] };
  return { hits: [], alike: await alike(search, name, place) };
}
