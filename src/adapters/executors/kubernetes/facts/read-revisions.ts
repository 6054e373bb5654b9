import type { V1ControllerRevision, V1Pod, V1PodTemplateSpec, V1ReplicaSet } from "@kubernetes/client-node";
import type { Revision, Workload } from "../analyse/index.ts";
import { attempt, entries, LIMITS, type ReadContext, workloadSelector } from "./read-context.ts";

const REVISION = "deployment.kubernetes.io/revision";
const HISTORY = "deployment.kubernetes.io/revision-history";

const isOwnedBy = (object: V1ReplicaSet | V1ControllerRevision, { object: { metadata } }: Workload) =>
  object.metadata?.ownerReferences?.some(({ uid }) => uid === metadata?.uid) ?? false;

/** Returns when a replica set became the newest: after a rollback, when its first pod was created, as the set is older. */
function sinceOf({ metadata }: V1ReplicaSet, hash: string, pods: readonly V1Pod[]): Date | null {
  if (metadata?.annotations?.[HISTORY] === undefined) return metadata?.creationTimestamp ?? null;
  const own = pods.filter((pod) => pod.metadata?.labels?.["pod-template-hash"] === hash);
  const born = own.flatMap((pod) => pod.metadata?.creationTimestamp ?? []).map((date) => date.getTime());
  return born.length === 0 ? null : new Date(Math.min(...born));
}

function ofReplicaSet(set: V1ReplicaSet, pods: readonly V1Pod[]): Revision {
  const hash = set.metadata?.labels?.["pod-template-hash"] ?? "";
  const failure = set.status?.conditions?.find(
    ({ type, status }) => type === "ReplicaFailure" && status === "True",
  );
  return {
    number: Number(set.metadata?.annotations?.[REVISION] ?? 0),
    hash,
    name: set.metadata?.name ?? "?",
    since: sinceOf(set, hash, pods),
    template: set.spec?.template ?? {},
    failure: failure?.message ?? null,
  };
}

function ofControllerRevision(one: V1ControllerRevision): Revision {
  const data = one.data as { spec?: { template?: V1PodTemplateSpec } } | undefined;
  const name = one.metadata?.name ?? "?";
  return {
    number: one.revision,
    // A stateful set's pods have the revision's name in the label, a daemon set's pods its hash.
    hash: one.metadata?.labels?.["controller-revision-hash"] ?? name,
    name,
    since: one.metadata?.creationTimestamp ?? null,
    template: data?.spec?.template ?? {},
    failure: null,
  };
}

/** Reads the revisions of a workload, newest first. */
export async function readRevisions(
  reading: ReadContext,
  workload: Workload,
  pods: readonly V1Pod[],
): Promise<Revision[]> {
  const { cluster, namespace, until } = reading;
  const labelSelector = workloadSelector(workload.object.spec?.selector);
  if (labelSelector === undefined) return [];
  const query = { namespace, labelSelector, limit: LIMITS.revisions };
  const what = workload.kind === "deployment" ? "replicasets" : "controllerrevisions";
  const revisions = await attempt(
    reading,
    "rollout history",
    `list ${what} in ${namespace}`,
    [],
    async () => {
      if (workload.kind === "deployment") {
        const list = entries(
          reading,
          "replica sets",
          await cluster.apps.listNamespacedReplicaSet(query, until),
        );
        return list.filter((one) => isOwnedBy(one, workload)).map((one) => ofReplicaSet(one, pods));
      }
      const page = await cluster.apps.listNamespacedControllerRevision(query, until);
      const list = entries(reading, "controller revisions", page);
      return list.filter((one) => isOwnedBy(one, workload)).map(ofControllerRevision);
    },
  );
  return revisions.sort((a, b) => b.number - a.number);
}
