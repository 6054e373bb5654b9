import type { Check } from "../../../../contract/approval.ts";
import type { PerformedAction } from "../../../../verification/index.ts";
import type { Snapshot } from "../act/snapshot.ts";
import type { Cluster } from "../cluster/client.ts";
import { failureOf, plain } from "../cluster/failure.ts";
import { controllerOf, listAll, listPath, type Pod, read } from "../cluster/objects.ts";
import { isLeaving, isReady, restartsFact, waitingFact } from "./containers.ts";

type PodRef = { kind: "pod"; name: string; namespace: string };
type ObservationInput = { now: Date; settle: number; deed: PerformedAction | undefined };

/** Reads the pod of this name; null if there is none. */
async function find(cluster: Cluster, place: PodRef): Promise<Pod | null> {
  try {
    return await read<Pod>(cluster, place);
  } catch (error) {
    if (failureOf(error).status === 404) return null;
    throw error;
  }
}

function stateFact(pod: Pod): Check {
  const { phase = "Unknown", reason, message } = pod.status ?? {};
  const why = reason === undefined ? "" : ` (${plain(reason, 100)}: ${plain(message ?? "", 300)})`;
  if (isLeaving(pod)) return { name: "pod", passed: false, message: "it is being deleted" };
  const text = `${plain(phase, 40)}, ${isReady(pod) ? "ready" : "not ready"}${why}`;
  return {
    name: "pod",
    passed: phase === "Succeeded" || (phase === "Running" && isReady(pod)),
    message: text,
  };
}

/** Checks whether a new pod of the same controller has replaced the deleted one. */
async function replacementFacts(
  cluster: Cluster,
  place: PodRef,
  before: Partial<Snapshot>,
  look: ObservationInput,
): Promise<Check[]> {
  const present = await find(cluster, place);
  const ended = present === null || present.metadata.uid !== before.uid;
  const end: Check = { name: "ended", passed: ended, message: ended ? "it was deleted" : "it still exists" };
  const name = "replacement";
  const { owner } = before;
  if (!owner) return [end, { name, passed: false, message: "it had no controller: nothing replaces it" }];
  const known = new Set((before.pods ?? []).map((one) => one.uid));
  const all = await listAll<Pod>(cluster, listPath("pod", place.namespace));
  const fresh = all.filter(
    (pod) => controllerOf(pod.metadata)?.uid === owner.uid && !known.has(pod.metadata.uid) && !isLeaving(pod),
  );
  const ready = fresh.filter(isReady);
  const names = fresh.map((pod) => pod.metadata.name).join(", ");
  const message =
    ready.length > 0
      ? `${names} is ready`
      : fresh.length > 0
        ? `${names} is not ready`
        : "there is no new pod yet";
  const waiting = waitingFact(fresh);
  return [
    end,
    { name, passed: ready.length > 0, message: plain(message) },
    restartsFact(fresh, look.now, look.settle),
    ...(waiting === undefined ? [] : [waiting]),
  ];
}

/** Returns the facts about a pod or, after its deletion by an operation, about its replacement. */
export async function podFacts(cluster: Cluster, place: PodRef, look: ObservationInput): Promise<Check[]> {
  const { deed, now, settle } = look;
  if (deed?.operation.kind === "kubernetes.delete_pod")
    return replacementFacts(cluster, place, deed.before as Partial<Snapshot>, look);
  const pod = await find(cluster, place);
  if (pod === null) return [{ name: "pod", passed: false, message: "it does not exist" }];
  const waiting = waitingFact([pod]);
  return [stateFact(pod), restartsFact([pod], now, settle), ...(waiting === undefined ? [] : [waiting])];
}
