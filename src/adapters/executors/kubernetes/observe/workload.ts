import type { Check } from "../../../../contract/approval.ts";
import type { Operation } from "../../../../operation/index.ts";
import type { PerformedAction } from "../../../../verification/index.ts";
import { type Snapshot, stateOf } from "../act/snapshot.ts";
import type { Cluster } from "../cluster/client.ts";
import { plain } from "../cluster/failure.ts";
import {
  desiredReplicas,
  isObserved,
  pausedReason,
  podsOf,
  readWorkload,
  type Workload,
  type WorkloadPlace,
} from "../cluster/workload.ts";
import { isLeaving, isReady, restartsFact, waitingFact } from "./containers.ts";

type Counts = { wanted: number; updated: number; available: number; total: number };

function countsOf(workload: Workload): Counts {
  const wanted = desiredReplicas(workload);
  if (workload.kind === "daemonset") {
    const {
      updatedNumberScheduled = 0,
      numberAvailable = 0,
      currentNumberScheduled = 0,
    } = workload.status ?? {};
    return {
      wanted,
      updated: updatedNumberScheduled,
      available: numberAvailable,
      total: currentNumberScheduled,
    };
  }
  const { updatedReplicas = 0, replicas = 0, readyReplicas = 0 } = workload.status ?? {};
  if (workload.kind === "statefulset") {
    const { currentRevision, updateRevision } = workload.status ?? {};
    // After a complete update both revisions are equal and `updatedReplicas` may be 0.
    const updated = currentRevision === updateRevision ? replicas : updatedReplicas;
    return { wanted, updated, available: readyReplicas, total: replicas };
  }
  const { availableReplicas = 0 } = workload.status ?? {};
  return { wanted, updated: updatedReplicas, available: availableReplicas, total: replicas };
}

/** Returns how many pods of a stateful set keep the old template: those below its partition. */
const held = (workload: Workload) =>
  workload.kind === "statefulset" ? (workload.spec.updateStrategy?.rollingUpdate?.partition ?? 0) : 0;

function rolloutFact(workload: Workload): Check {
  const name = "rollout";
  const no = (message: string): Check => ({ name, passed: false, message });
  if (!isObserved(workload)) return no("its controller has not seen the latest change yet");
  const stalled =
    workload.kind === "deployment" &&
    workload.status?.conditions?.find((one) => one.reason === "ProgressDeadlineExceeded");
  const { wanted, updated, available, total } = countsOf(workload);
  const counts = `${updated} of ${wanted} pods are updated, ${available} available`;
  if (stalled) return no(`it is stalled: ${counts} (${plain(stalled.message ?? "", 300)})`);
  const still = pausedReason(workload);
  const partial = still === undefined && updated < wanted - held(workload);
  if (partial || available < wanted) return no(counts);
  if (still === undefined && total > wanted) return no(`${counts}, ${total - wanted} old ones remain`);
  return { name, passed: true, message: still === undefined ? `complete: ${counts}` : still };
}

/** Returns how the object's state contradicts the operation; undefined if it does not, as far as its state tells. */
function wrongWith(operation: Operation, before: Partial<Snapshot>, now: Snapshot): string | undefined {
  const same = before.template_hash === now.template_hash;
  switch (operation.kind) {
    case "kubernetes.rollout_restart":
      return same ? "its pod template is as it was before" : undefined;
    case "kubernetes.rollout_undo":
      return same && before.revision !== operation.parameters.to_revision
        ? "its pod template is as it was before"
        : undefined;
    case "kubernetes.scale": {
      const { replicas } = operation.parameters;
      return now.numbers?.replicas === replicas
        ? undefined
        : `spec.replicas is ${now.numbers?.replicas}, not ${replicas}`;
    }
    case "kubernetes.scale_out": {
      const { at_least } = operation.parameters;
      return (now.numbers?.replicas ?? 0) >= at_least
        ? undefined
        : `spec.replicas is ${now.numbers?.replicas}, not ${at_least} or more`;
    }
    case "kubernetes.set_image": {
      const { images } = operation.parameters;
      const other = Object.entries(now.images ?? {}).find(
        ([name, image]) => (images[name] ?? images["*"] ?? image) !== image,
      );
      return other && `${other[0]} has the image ${plain(other[1], 500)}`;
    }
    case "kubernetes.patch": {
      const wanted = Object.entries(operation.parameters.patch.spec).filter(
        ([, value]) => typeof value === "number",
      );
      const other = wanted.find(([name, value]) => now.numbers?.[name] !== value);
      return other && `${other[0]} is ${now.numbers?.[other[0]]}, not ${other[1]}`;
    }
    default:
      return undefined;
  }
}

/** Checks whether the object still has what the operation set: a person or controller may have reverted it. */
export function changeFact({ operation, before }: PerformedAction, now: Snapshot): Check {
  const wrong = wrongWith(operation, before as Partial<Snapshot>, now);
  return { name: "change", passed: wrong === undefined, message: wrong ?? "the change is in place" };
}

/** Returns the facts about a workload and its pods. */
export async function workloadFacts(
  cluster: Cluster,
  place: WorkloadPlace,
  { now, settle, deed }: { now: Date; settle: number; deed: PerformedAction | undefined },
): Promise<Check[]> {
  const workload = await readWorkload(cluster, place);
  const pods = (await podsOf(cluster, workload)).filter((pod) => !isLeaving(pod));
  const wanted = desiredReplicas(workload);
  const ready = pods.filter(isReady).length;
  const before = (deed?.before as Partial<Snapshot> | undefined)?.pods ?? [];
  const waiting = waitingFact(pods);
  return [
    ...(deed === undefined ? [] : [changeFact(deed, stateOf(workload))]),
    rolloutFact(workload),
    { name: "replicas", passed: ready === wanted, message: `${ready} of ${wanted} pods are ready` },
    restartsFact(pods, now, settle, before),
    ...(waiting === undefined ? [] : [waiting]),
  ];
}
