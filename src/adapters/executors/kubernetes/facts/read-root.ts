import type {
  V1CronJob,
  V1HorizontalPodAutoscaler,
  V1Job,
  V1Node,
  V1ObjectMeta,
  V1PersistentVolumeClaim,
  V1Pod,
  V1Service,
} from "@kubernetes/client-node";
import { VOCABULARY } from "../../../../intake/index.ts";
import { clip } from "../../../../lib/clip.ts";
import type { Workload } from "../analyse/index.ts";
import { failureOf } from "../cluster/failure.ts";
import { ownerKind } from "../cluster/owner-kind.ts";
import { isMissing, type ReadContext } from "./read-context.ts";

/** The object that an investigation is about; for a pod, its owner if there is one. */
export type Root =
  | Workload
  | { kind: "pod"; object: V1Pod }
  | { kind: "job"; object: V1Job }
  | { kind: "cronjob"; object: V1CronJob }
  | { kind: "node"; object: V1Node }
  | { kind: "service"; object: V1Service }
  | { kind: "persistentvolumeclaim"; object: V1PersistentVolumeClaim }
  | { kind: "horizontalpodautoscaler"; object: V1HorizontalPodAutoscaler };

type Finder = (reading: ReadContext, name: string) => Promise<Root | undefined>;

/** Returns the object that was read; undefined if it does not exist (404). */
async function found(read: Promise<Root>): Promise<Root | undefined> {
  try {
    return await read;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

const controllerOf = ({ metadata }: { metadata?: V1ObjectMeta }) =>
  metadata?.ownerReferences?.find((one) => one.controller === true);

/** Returns the object's owner; the object itself if its owner is of an unknown kind, missing or unreadable. */
async function ownerOr(reading: ReadContext, self: Root): Promise<Root> {
  const owner = controllerOf(self.object);
  const kind = owner && ownerKind(owner);
  const find = kind && FINDERS[kind];
  if (owner === undefined || find === undefined) return self;
  try {
    return (await find(reading, owner.name)) ?? self;
  } catch (error) {
    reading.missing.add(`${owner.kind.toLowerCase()} ${owner.name}: ${clip(failureOf(error).message, 300)}`);
    return self;
  }
}

const deployment: Finder = ({ cluster, namespace, until }, name) =>
  found(
    cluster.apps
      .readNamespacedDeployment({ namespace, name }, until)
      .then((object) => ({ kind: "deployment", object })),
  );
const statefulset: Finder = ({ cluster, namespace, until }, name) =>
  found(
    cluster.apps
      .readNamespacedStatefulSet({ namespace, name }, until)
      .then((object) => ({ kind: "statefulset", object })),
  );
const daemonset: Finder = ({ cluster, namespace, until }, name) =>
  found(
    cluster.apps
      .readNamespacedDaemonSet({ namespace, name }, until)
      .then((object) => ({ kind: "daemonset", object })),
  );
const service: Finder = ({ cluster, namespace, until }, name) =>
  found(
    cluster.core
      .readNamespacedService({ namespace, name }, until)
      .then((object) => ({ kind: "service", object })),
  );
const node: Finder = ({ cluster, until }, name) =>
  found(cluster.core.readNode({ name }, until).then((object) => ({ kind: "node", object })));
const claim: Finder = ({ cluster, namespace, until }, name) =>
  found(
    cluster.core
      .readNamespacedPersistentVolumeClaim({ namespace, name }, until)
      .then((object) => ({ kind: "persistentvolumeclaim", object })),
  );
const autoscaler: Finder = ({ cluster, namespace, until }, name) =>
  found(
    cluster.autoscalingV1
      .readNamespacedHorizontalPodAutoscaler({ namespace, name }, until)
      .then((object) => ({ kind: "horizontalpodautoscaler", object })),
  );
const job: Finder = ({ cluster, namespace, until }, name) =>
  found(
    cluster.batch.readNamespacedJob({ namespace, name }, until).then((object) => ({ kind: "job", object })),
  );

const cronjob: Finder = async (reading, name) => {
  const { cluster, namespace, signal } = reading;
  const place = `namespaces/${encodeURIComponent(namespace)}/cronjobs/${encodeURIComponent(name)}`;
  // In older clusters batch/v1 has no cron jobs.
  for (const version of ["v1", "v1beta1"]) {
    const asked = cluster.raw<V1CronJob>({ path: `/apis/batch/${version}/${place}`, signal });
    const one = await found(asked.then((object) => ({ kind: "cronjob", object })));
    if (one !== undefined) return one;
  }
  return undefined;
};

/** Finds the deployment that owns a replica set; undefined if none does. */
const replicaset: Finder = async (reading, name) => {
  const { cluster, namespace, until } = reading;
  try {
    const set = await cluster.apps.readNamespacedReplicaSet({ namespace, name }, until);
    const owner = controllerOf(set);
    return owner !== undefined && ownerKind(owner) === "deployment"
      ? await deployment(reading, owner.name)
      : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
};

const pod: Finder = async (reading, name) => {
  const { cluster, namespace, until } = reading;
  const one = await found(
    cluster.core.readNamespacedPod({ namespace, name }, until).then((object) => ({ kind: "pod", object })),
  );
  return one === undefined ? goneOwner(reading, name) : ownerOr(reading, one);
};

// The characters of random suffixes: no vowels, and no digits that look like letters.
const RANDOM = `[${VOCABULARY.suffix_alphabet}]`;
const APPENDED = [
  ["deployment", new RegExp(`-${RANDOM}{1,10}-${RANDOM}{5}$`)],
  ["daemonset", new RegExp(`-${RANDOM}{5}$`)],
  ["statefulset", /-\d{1,9}$/],
] as const;
const WORKLOAD_KINDS = ["deployment", "statefulset", "daemonset"] as const;

/** Returns the workloads that a deleted pod may have belonged to, by its name alone. */
export const probableOwnersOfPod = (
  name: string,
): { kind: (typeof WORKLOAD_KINDS)[number]; name: string }[] => [
  ...WORKLOAD_KINDS.map((kind) => ({ kind, name })),
  ...APPENDED.filter(([, pattern]) => pattern.test(name)).map(([kind, pattern]) => ({
    kind,
    name: name.replace(pattern, ""),
  })),
];

/** Finds the owner of a deleted pod by its name, which may already lack the controller's suffix. */
const goneOwner: Finder = async (reading, name) => {
  const owners = probableOwnersOfPod(name).map(
    (one): Finder =>
      (of) =>
        FINDERS[one.kind]?.(of, one.name) ?? Promise.resolve(undefined),
  );
  const owner = await anyOf(owners)(reading, name);
  if (owner !== undefined)
    reading.missing.add(`pod ${name} no longer exists: its probable owner was read instead`);
  return owner;
};

/** Combines finders: returns the object of the first that finds one, and throws if none does and one failed. */
function anyOf(kinds: readonly Finder[]): Finder {
  return async (reading, name) => {
    const looked = await Promise.allSettled(kinds.map((find) => find(reading, name)));
    const hit = looked.find((one) => one.status === "fulfilled" && one.value !== undefined);
    if (hit?.status === "fulfilled") return hit.value;
    const failed = looked.find((one) => one.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    return undefined;
  };
}

const WORKLOADS = [deployment, statefulset, daemonset] as const;

const FINDERS: Record<string, Finder> = {
  deployment,
  statefulset,
  daemonset,
  replicaset,
  pod,
  service,
  node,
  job,
  cronjob,
  persistentvolumeclaim: claim,
  horizontalpodautoscaler: autoscaler,
};

/** Tells whether objects of this kind can be read together with the objects around them. */
export const isRootKind = (kind: string): boolean => Object.hasOwn(FINDERS, kind);

/** Reads the target's object or, for a pod, its owner. Undefined if it does not exist; throws if that cannot be told. */
export async function readRoot(reading: ReadContext): Promise<Root | undefined> {
  const { kind, name } = reading.target;
  return FINDERS[kind]?.(reading, name);
}

/** Returns the owner of a pod; the pod itself if it has none. */
export const runnerOf = (reading: ReadContext, object: V1Pod): Promise<Root> =>
  ownerOr(reading, { kind: "pod", object });

/** Finds the workload of this name, if there is one. */
export const workloadNamed: Finder = anyOf(WORKLOADS);
