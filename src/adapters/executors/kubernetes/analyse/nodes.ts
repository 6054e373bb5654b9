import type { V1Node, V1Pod } from "@kubernetes/client-node";
import type { FindingCode } from "./codes.ts";
import type { Analyser, Draft, Facts } from "./facts.ts";
import { firstFacts, grouped, LATELY_SECONDS, nameOf, secondsSince } from "./pods.ts";
import { ago, oneLine, podsText, sentence } from "./text.ts";

type Kind = { code: FindingCode; bad: string; title: string; meaning: string };

// By the type of the condition; `bad` is the status that means trouble.
const CONDITIONS: Record<string, Kind> = {
  DiskPressure: {
    code: "node_disk_pressure",
    bad: "True",
    title: "runs out of disk",
    meaning:
      "It evicts pods and accepts no new ones until space is freed: look at images, logs and emptyDir volumes.",
  },
  MemoryPressure: {
    code: "node_memory_pressure",
    bad: "True",
    title: "runs out of memory",
    meaning: "It evicts pods and accepts no new ones: look for pods without memory limits on it.",
  },
  PIDPressure: {
    code: "node_pid_pressure",
    bad: "True",
    title: "has too many processes",
    meaning: "Look for a pod that starts processes without end.",
  },
  NetworkUnavailable: {
    code: "node_network_unavailable",
    bad: "True",
    title: "has no network for pods",
    meaning: "Look at the network plugin's pod on it.",
  },
};

const podsOn = ({ pods }: Facts, node: string) =>
  pods.filter(({ spec, status }) => spec?.nodeName === node && status?.phase !== "Succeeded").map(nameOf);

function conditionFacts(node: V1Node, type: string): Draft["facts"] {
  const condition = node.status?.conditions?.find((one) => one.type === type);
  const { status = "?", reason = "", message = "" } = condition ?? {};
  const text = `condition ${type} is ${status}${reason && ` (${oneLine(reason, 60)})`}: ${oneLine(message) || "no message"}`;
  return [{ subject: `node/${nameOf(node)}`, text, at: condition?.lastTransitionTime }];
}

function notReady(facts: Facts, node: V1Node): Draft[] {
  const ready = node.status?.conditions?.find(({ type }) => type === "Ready");
  if (ready?.status === "True") return [];
  const names = podsOn(facts, nameOf(node));
  const silent = ready === undefined || ready.status === "Unknown";
  const since = ready?.lastTransitionTime;
  const when = since === undefined ? "" : ` for ${ago(since, facts.now)}`;
  return [
    {
      code: "node_not_ready",
      title: `Node ${nameOf(node)} is not ready${when}${silent ? ": its kubelet does not report" : ""}`,
      meaning: `${
        names.length === 0 ? "" : `It runs ${podsText(names)}. `
      }${silent ? "Check that the machine runs and reaches the API server." : "The kubelet's reason is in the evidence."}`,
      facts: conditionFacts(node, "Ready"),
      pods: names,
    },
  ];
}

/** Finds nodes that are not ready, under pressure, or cordoned. */
export const nodes: Analyser = (facts) =>
  facts.nodes.flatMap((node) => {
    const name = nameOf(node);
    const pressures = (node.status?.conditions ?? []).flatMap(({ type, status }): Draft[] => {
      const kind = Object.hasOwn(CONDITIONS, type) ? CONDITIONS[type] : undefined;
      if (kind === undefined || status !== kind.bad) return [];
      const { code, title, meaning } = kind;
      return [
        {
          code,
          title: `Node ${name} ${title}`,
          meaning,
          facts: conditionFacts(node, type),
          pods: podsOn(facts, name),
        },
      ];
    });
    const cordoned: Draft[] =
      node.spec?.unschedulable === true
        ? [
            {
              code: "node_cordoned",
              title: `Node ${name} is cordoned`,
              meaning: "It accepts no new pods until it is uncordoned; it may be under maintenance.",
              facts: [{ subject: `node/${name}`, text: "spec.unschedulable is true" }],
            },
          ]
        : [];
    return [...notReady(facts, node), ...pressures, ...cordoned];
  });

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
