import type { CoreV1Event, V1Node, V1PersistentVolumeClaim, V1Pod } from "@kubernetes/client-node";
import type { OperationTarget } from "../../../../contract/incident.ts";
import { plural } from "../../../../lib/words.ts";
import { resolveObject } from "../act/resolve.ts";
import { type Facts, type LogTail, noFacts, type Workload, wantsLog } from "../analyse/index.ts";
import type { Cluster } from "../cluster/client.ts";
import { failureOf } from "../cluster/failure.ts";
import { isActedOn } from "../cluster/objects.ts";
import {
  readAutoscaler,
  readAutoscalers,
  readBudgets,
  readCertificates,
  readEndpoints,
  readServices,
} from "./read-around.ts";
import {
  attempt,
  createReadContext,
  entries,
  LIMITS,
  type ReadContext,
  selectorText,
  workloadSelector,
} from "./read-context.ts";
import { readRevisions } from "./read-revisions.ts";
import { type Root, readRoot, runnerOf, workloadNamed } from "./read-root.ts";

/** What was read about a target; `facts` is null if it does not exist or could not be read. */
export type ReadFacts = {
  facts: Facts | null;
  /** The exact object; null if it does not exist. */
  target: OperationTarget | null;
  missing: string[];
};

const name = ({ metadata }: { metadata?: { name?: string } }) => metadata?.name ?? "";

const isTroubled = ({ status }: V1Pod) =>
  !(status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") ?? false);

/** Returns the pods to look at closely, at most `LIMITS.looked_at`, those that are not ready first. */
const closely = (pods: readonly V1Pod[]): V1Pod[] =>
  [...pods].sort((a, b) => Number(isTroubled(b)) - Number(isTroubled(a))).slice(0, LIMITS.looked_at);

function listPods(
  reading: ReadContext,
  query: { labelSelector?: string; fieldSelector?: string },
): Promise<V1Pod[]> {
  const { cluster, namespace, until } = reading;
  return attempt(reading, "pods", `list pods in ${namespace}`, [], async () =>
    entries(
      reading,
      "pods",
      await cluster.core.listNamespacedPod({ namespace, limit: LIMITS.pods, ...query }, until),
    ),
  );
}

function podsOnNode(reading: ReadContext, node: string): Promise<V1Pod[]> {
  const { cluster, until } = reading;
  return attempt(reading, `pods on node ${node}`, "list pods in all namespaces", [], async () => {
    const query = { fieldSelector: `spec.nodeName=${node}`, limit: LIMITS.pods };
    return entries(reading, "pods", await cluster.core.listPodForAllNamespaces(query, until));
  });
}

/** Reads the events of objects with one request per name, because a namespace may have thousands of events. */
async function readEvents(
  reading: ReadContext,
  names: readonly string[],
  namespace: string,
): Promise<CoreV1Event[]> {
  const { cluster, until } = reading;
  const lists = [...new Set(names)].map((one) =>
    attempt(reading, "events", `list events in ${namespace}`, [], async () => {
      const query = { namespace, fieldSelector: `involvedObject.name=${one}`, limit: LIMITS.others };
      return (await cluster.core.listNamespacedEvent(query, until)).items;
    }),
  );
  return (await Promise.all(lists)).flat();
}

async function readNodes(reading: ReadContext, pods: readonly V1Pod[]): Promise<V1Node[]> {
  const { cluster, until } = reading;
  const names = [...new Set(closely(pods).flatMap(({ spec }) => spec?.nodeName ?? []))].slice(
    0,
    LIMITS.nodes,
  );
  const nodes = names.map((one) =>
    attempt<V1Node | undefined>(reading, "nodes", "get nodes", undefined, () =>
      cluster.core.readNode({ name: one }, until),
    ),
  );
  return (await Promise.all(nodes)).flatMap((node) => node ?? []);
}

async function readClaims(reading: ReadContext, pods: readonly V1Pod[]): Promise<V1PersistentVolumeClaim[]> {
  const { cluster, namespace, until } = reading;
  const volumes = closely(pods).flatMap(({ spec }) => spec?.volumes ?? []);
  const names = [...new Set(volumes.flatMap(({ persistentVolumeClaim: one }) => one?.claimName ?? []))];
  const permission = `get persistentvolumeclaims in ${namespace}`;
  const claims = names
    .slice(0, LIMITS.looked_at)
    .map((one) =>
      attempt<V1PersistentVolumeClaim | undefined>(reading, "volume claims", permission, undefined, () =>
        cluster.core.readNamespacedPersistentVolumeClaim({ namespace, name: one }, until),
      ),
    );
  return (await Promise.all(claims)).flatMap((claim) => claim ?? []);
}

function readQuotas(reading: ReadContext): Promise<Facts["quotas"][number][]> {
  const { cluster, namespace, until } = reading;
  return attempt(reading, "quotas", `list resourcequotas in ${namespace}`, [], async () =>
    entries(
      reading,
      "quotas",
      await cluster.core.listNamespacedResourceQuota({ namespace, limit: 20 }, until),
    ),
  );
}

/** Reads the ends of the logs that `wantsLog` selects, to see why containers ended. */
async function readLogs(reading: ReadContext, facts: Facts): Promise<LogTail[]> {
  const { cluster, namespace, until } = reading;
  const tails = wantsLog(facts).map(({ pod, container, previous }) => {
    const query = { namespace, name: pod, container, previous, tailLines: 20, limitBytes: 20_000 };
    return attempt<LogTail[]>(reading, "logs", `get pods/log in ${namespace}`, [], async () => {
      try {
        const text = await cluster.core.readNamespacedPodLog(query, until);
        return [{ pod, container, previous, text: String(text ?? "") }];
      } catch (error) {
        // 400: the previous container's log is gone from its node, or there was no previous container.
        if (failureOf(error).status === 400) return [];
        throw error;
      }
    });
  });
  return (await Promise.all(tails)).flat();
}

function selectorOf(root: Root): string | undefined {
  switch (root.kind) {
    case "deployment":
    case "statefulset":
    case "daemonset":
      return workloadSelector(root.object.spec?.selector);
    case "job":
      return `job-name=${name(root.object)}`;
    case "service":
      return selectorText(root.object.spec?.selector);
    default:
      return undefined;
  }
}

/** Reads the pods that belong to the object. */
async function podsOf(reading: ReadContext, root: Root): Promise<V1Pod[]> {
  if (root.kind === "pod") return [root.object];
  if (root.kind === "node") return podsOnNode(reading, name(root.object));
  const labelSelector = selectorOf(root);
  return labelSelector === undefined ? [] : listPods(reading, { labelSelector });
}

const isWorkload = (root: Root | undefined): root is Workload =>
  root !== undefined && ["deployment", "statefulset", "daemonset"].includes(root.kind);

/** Finds the workload behind a service; if the service selects no pods, the workload of the same name. */
async function backendsOfService(reading: ReadContext, pods: readonly V1Pod[], service: string) {
  const [first] = pods;
  const root = await attempt<Root | undefined>(reading, "workload", "get deployments", undefined, () =>
    first === undefined ? workloadNamed(reading, service) : runnerOf(reading, first),
  );
  if (!isWorkload(root)) return { workload: null, pods };
  return { workload: root, pods: pods.length > 0 ? pods : await podsOf(reading, root) };
}

async function jobsOf(reading: ReadContext, root: Root): Promise<Pick<Facts, "jobs" | "cron_job" | "pods">> {
  if (root.kind === "job") return { jobs: [root.object], cron_job: null, pods: await podsOf(reading, root) };
  if (root.kind !== "cronjob") return { jobs: [], cron_job: null, pods: [] };
  const { cluster, namespace, until } = reading;
  const own = await attempt(reading, "jobs", `list jobs in ${namespace}`, [], async () => {
    const page = await cluster.batch.listNamespacedJob({ namespace, limit: LIMITS.others }, until);
    return entries(reading, "jobs", page).filter(({ metadata }) =>
      metadata?.ownerReferences?.some(({ uid }) => uid === root.object.metadata?.uid),
    );
  });
  // Only the last run matters; older runs may have failed for other reasons.
  const born = ({ metadata }: (typeof own)[number]) => metadata?.creationTimestamp?.getTime() ?? 0;
  const [last] = own.sort((a, b) => born(b) - born(a));
  const jobs = last === undefined ? [] : [last];
  const pods = last === undefined ? [] : await podsOf(reading, { kind: "job", object: last });
  return { jobs, cron_job: root.object, pods };
}

/** Reads the pods that mount a claim, and the owners of those that are looked at closely. */
async function usersOf(reading: ReadContext, claim: string): Promise<Pick<Facts, "pods" | "users">> {
  const pods = (await listPods(reading, {})).filter(({ spec }) =>
    spec?.volumes?.some((one) => one.persistentVolumeClaim?.claimName === claim),
  );
  const runners = await Promise.all(closely(pods).map((one) => runnerOf(reading, one)));
  return { pods, users: [...new Set(runners.map((one) => `${one.kind} ${name(one.object)}`))] };
}

/** Reads the core facts: the object, its pods, and the workload or jobs behind them. */
async function readCore(reading: ReadContext, root: Root, empty: Facts): Promise<Facts> {
  if (isWorkload(root)) return { ...empty, workload: root, pods: await podsOf(reading, root) };
  switch (root.kind) {
    case "service": {
      const pods = await podsOf(reading, root);
      const behind = await backendsOfService(reading, pods, name(root.object));
      return { ...empty, ...behind, services: [await readEndpoints(reading, root.object)] };
    }
    case "job":
    case "cronjob":
      return { ...empty, ...(await jobsOf(reading, root)) };
    case "node":
      return { ...empty, nodes: [root.object], pods: await podsOf(reading, root) };
    case "persistentvolumeclaim":
      return { ...empty, claims: [root.object], ...(await usersOf(reading, name(root.object))) };
    case "horizontalpodautoscaler":
      return { ...empty, autoscalers: await readAutoscaler(reading, name(root.object)) };
    default:
      return { ...empty, pods: await podsOf(reading, root) };
  }
}

/** Reads the objects around it in parallel, then the events of them all. */
async function readRest(reading: ReadContext, root: Root, core: Facts): Promise<Facts> {
  const { workload, pods } = core;
  if (root.kind === "node") {
    const events = await readEvents(reading, [name(root.object)], "default");
    return { ...core, events };
  }
  // For a claim, events suffice: of its pods' problems only those that keep it from being mounted matter.
  if (root.kind === "persistentvolumeclaim") {
    const about = [name(root.object), ...closely(pods).map(name)];
    return { ...core, events: await readEvents(reading, about, reading.namespace) };
  }
  const template = workload?.object.spec?.template;
  const labels = template?.metadata?.labels ?? pods[0]?.metadata?.labels ?? {};
  const own = workload === null ? undefined : name(workload.object);
  const [revisions, nodes, claims, quotas, services, autoscalers, budgets, certificates, logs] =
    await Promise.all([
      workload === null ? [] : readRevisions(reading, workload, pods),
      readNodes(reading, pods),
      core.claims.length > 0 ? core.claims : readClaims(reading, pods),
      own === undefined && core.jobs.length === 0 ? [] : readQuotas(reading),
      core.services.length > 0 || own === undefined ? core.services : readServices(reading, labels, own),
      own === undefined ? core.autoscalers : readAutoscalers(reading, workload?.kind ?? "", own),
      own === undefined ? [] : readBudgets(reading, labels),
      own === undefined ? [] : readCertificates(reading, template),
      readLogs(reading, core),
    ]);
  const around = { revisions, nodes, claims, quotas, services, autoscalers, budgets, certificates, logs };
  const about = [
    name(root.object),
    ...(own === undefined ? [] : [own]),
    ...revisions.slice(0, 2).map((one) => one.name),
    ...closely(pods).map(name),
    ...core.jobs.map(name),
    ...claims.map(name),
  ];
  const events = await readEvents(reading, about, reading.namespace);
  const killers = nodes.length === 0 ? [] : await readEvents(reading, nodes.map(name), "default");
  return { ...core, ...around, events: [...events, ...killers] };
}

/** Returns the exact target; its cluster stays undefined if the target did not name one. */
function exactTarget({ target, namespace }: ReadContext, root: Root): OperationTarget {
  const { cluster } = target;
  return {
    kind: root.kind,
    name: name(root.object),
    ...(root.kind === "node" ? {} : { namespace }),
    ...(cluster === undefined ? {} : { cluster }),
  };
}

/** Returns suggestions of objects with similar names, as text; empty if there are none. */
async function closeTo({
  cluster,
  target: { kind, name: wanted },
  namespace,
  signal,
}: ReadContext): Promise<string> {
  if (!isActedOn(kind) || signal.aborted) return "";
  const place = { kind, name: wanted, ...(kind === "node" ? {} : { namespace }) };
  const resolution = await resolveObject(cluster, place);
  return resolution.result === "suggestion" ? `; similar names: ${resolution.names.join(", ")}` : "";
}

/**
 * Reads the facts about a target, in parallel and with every list bounded. What is not permitted, or not read when
 * `signal` is aborted, is left out and named in `missing`. Reads no secret.
 */
export async function readFacts(
  cluster: Cluster,
  target: OperationTarget,
  now: Date,
  signal: AbortSignal,
): Promise<ReadFacts> {
  const reading = createReadContext(cluster, target, now, signal);
  const where = target.kind === "node" ? "" : ` in ${reading.namespace}`;
  const what = `${target.kind === "unknown" ? "workload" : target.kind} ${target.name}${where}`;
  const unread = Symbol();
  const root = await attempt<Root | undefined | typeof unread>(
    reading,
    what,
    `get ${plural(target.kind)}${where}`,
    unread,
    () => readRoot(reading),
  );
  if (root === unread) return { facts: null, target, missing: [...reading.missing] };
  if (root === undefined) {
    const none = `cluster ${cluster.name} has no ${what}${await closeTo(reading)}`;
    return { facts: null, target: null, missing: [none, ...reading.missing] };
  }
  const exact = exactTarget(reading, root);
  const core = await readCore(reading, root, noFacts(now, exact));
  const facts = await readRest(reading, root, core);
  return { facts, target: exact, missing: [...reading.missing] };
}
