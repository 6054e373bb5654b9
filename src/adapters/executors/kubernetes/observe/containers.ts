import type { Check } from "../../../../contract/approval.ts";
import type { PodBefore } from "../act/snapshot.ts";
import { plain } from "../cluster/failure.ts";
import type { Pod } from "../cluster/objects.ts";

type Status = NonNullable<NonNullable<Pod["status"]>["containerStatuses"]>[number];

// Waiting reasons that every pod passes through as it starts.
const ON_ITS_WAY = new Set(["ContainerCreating", "PodInitializing"]);
const SHOWN = 5;

export const isReady = ({ status }: Pod) =>
  status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") === true;
export const isLeaving = ({ metadata }: Pod) => metadata.deletionTimestamp !== undefined;

export const some = (list: readonly string[]) =>
  list.length <= SHOWN
    ? list.join("; ")
    : `${list.slice(0, SHOWN).join("; ")}; and ${list.length - SHOWN} more`;

function unsettled(
  status: Status,
  now: Date,
  settle: number,
  before: number | undefined,
): string | undefined {
  const { name, state = {}, restartCount } = status;
  if (before !== undefined && restartCount > before)
    return `${name} was restarted ${restartCount - before} more times`;
  const { running, terminated, waiting } = state;
  if (terminated !== undefined && terminated.exitCode === 0) return undefined;
  if (terminated !== undefined)
    return `${name} ended with ${terminated.exitCode} (${plain(terminated.reason ?? "", 100)})`;
  if (running?.startedAt === undefined)
    return `${name} is waiting: ${plain(waiting?.reason ?? "it has not started", 100)}`;
  const seconds = (now.getTime() - Date.parse(running.startedAt)) / 1000;
  return seconds >= settle ? undefined : `${name} has been up for only ${Math.max(seconds, 0).toFixed(0)} s`;
}

/**
 * Checks that each container has run for `settle` seconds since its last start and was not restarted since the
 * snapshot: a container in a crash loop is also up from time to time.
 */
export function restartsFact(
  pods: readonly Pod[],
  now: Date,
  settle: number,
  before: readonly PodBefore[] = [],
): Check {
  const earlier = new Map(before.map((one) => [one.uid, one.restarts]));
  const restless = pods.flatMap(({ metadata, status }) => {
    const counts = earlier.get(metadata.uid);
    return (status?.containerStatuses ?? []).flatMap((one) => {
      const reason = unsettled(one, now, settle, counts?.[one.name]);
      return reason === undefined ? [] : [`${metadata.name}: ${reason}`];
    });
  });
  const name = "restarts";
  return restless.length === 0
    ? { name, passed: true, message: `no container was started within ${settle} s` }
    : { name, passed: false, message: plain(some(restless)) };
}

/** Returns what keeps pods from starting, with the cluster's own messages; undefined if nothing does. */
export function waitingFact(pods: readonly Pod[]): Check | undefined {
  const reasons = pods.flatMap(({ metadata, status }) => {
    const place = status?.conditions?.find((one) => one.type === "PodScheduled" && one.status === "False");
    if (place !== undefined) return [`${metadata.name}: ${place.reason}: ${plain(place.message ?? "", 300)}`];
    const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
    const waiting = all
      .flatMap(({ state }) => state?.waiting ?? [])
      .find((one) => !ON_ITS_WAY.has(one.reason ?? ""));
    if (waiting === undefined) return [];
    return [`${metadata.name}: ${waiting.reason}: ${plain(waiting.message ?? "", 300)}`];
  });
  if (reasons.length === 0) return undefined;
  return { name: "waiting", passed: false, message: plain(some(reasons)) };
}
