import type { V1Pod } from "@kubernetes/client-node";
import type { Analyser } from "./facts.ts";
import { firstFacts, grouped, LATELY_SECONDS, nameOf, secondsSince } from "./pods.ts";
import { ago, oneLine, podsText, sentence } from "./text.ts";

/** Returns when a pod ended: the latest time in its status; undefined if it has none. */
function endOf({ metadata, status }: V1Pod): Date | undefined {
  const times = [
    ...(status?.conditions ?? []).map((one) => one.lastTransitionTime),
    ...(status?.containerStatuses ?? []).map((one) => one.state?.terminated?.finishedAt),
    status?.startTime ?? metadata?.creationTimestamp,
  ].flatMap((time) => (time === undefined ? [] : [new Date(time).getTime()]));
  return times.length === 0 ? undefined : new Date(Math.max(...times));
}

/** Finds pods that their nodes evicted within the last 24 hours for lack of a resource. */
export const evictions: Analyser = (facts) => {
  const evicted = facts.pods.filter(
    (pod) =>
      pod.status?.phase === "Failed" &&
      pod.status.reason === "Evicted" &&
      secondsSince(endOf(pod), facts.now) <= 24 * LATELY_SECONDS,
  );
  const resourceOf = (message = "") => /low on resource: ([\w.-]+)/.exec(message)?.[1] ?? "a resource";
  return [...grouped(evicted, ({ status }) => resourceOf(status?.message)).entries()].map(
    ([resource, same]) => ({
      code: "pods_evicted" as const,
      title: `Within a day ${podsText(same.map(nameOf))} ${same.length === 1 ? "was" : "were"} evicted for lack of ${resource}`,
      meaning: "Set requests that match what the pods use, or free the resource on the nodes.",
      facts: firstFacts(same, (pod) => ({
        subject: `pod/${nameOf(pod)}`,
        text: `was evicted from node ${pod.spec?.nodeName ?? "?"}: ${oneLine(pod.status?.message ?? "no message")}`,
        at: pod.status?.startTime,
      })),
      pods: same.map(nameOf),
    }),
  );
};

/** Finds pods that are still there a minute after they should have been deleted. */
export const terminating: Analyser = (facts) => {
  const late = facts.pods.filter(({ metadata }) => {
    // The timestamp includes the grace period.
    const due = metadata?.deletionTimestamp;
    return due !== undefined && secondsSince(due, facts.now) > 60;
  });
  const held = (pod: (typeof late)[number]) => (pod.metadata?.finalizers ?? []).join(", ");
  return [...grouped(late, held).entries()].map(([finalizers, same]) => ({
    code: "stuck_terminating" as const,
    title: `${sentence(podsText(same.map(nameOf)))} should be deleted but still ${same.length === 1 ? "exists" : "exist"}`,
    meaning:
      finalizers === ""
        ? "The node that it runs on has not confirmed their end: check that the node is ready."
        : `The controller of the ${finalizers.includes(",") ? "finalizers" : "finalizer"} ${oneLine(finalizers, 200)} must remove it: check that it runs.`,
    facts: firstFacts(same, (pod) => ({
      subject: `pod/${nameOf(pod)}`,
      text: `was to be deleted ${ago(pod.metadata?.deletionTimestamp ?? facts.now, facts.now)} ago, on node ${pod.spec?.nodeName ?? "(none)"}`,
      at: pod.metadata?.deletionTimestamp,
    })),
    pods: same.map(nameOf),
  }));
};
