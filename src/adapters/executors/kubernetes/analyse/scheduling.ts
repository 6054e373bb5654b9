import type { V1Pod } from "@kubernetes/client-node";
import type { Analyser, Draft } from "./facts.ts";
import { eventFact, eventsOf, firstFacts, grouped, livePods, nameOf, secondsSince } from "./pods.ts";
import { oneLine, podsText } from "./text.ts";

// The scheduler's messages about nodes, with what they mean and what helps.
const REASONS: readonly [RegExp, string, string][] = [
  [/Insufficient cpu/i, "too little CPU is left", "Lower its CPU request, or add nodes."],
  [/Insufficient memory/i, "too little memory is left", "Lower its memory request, or add nodes."],
  [
    /Insufficient ephemeral-storage/i,
    "too little ephemeral storage is left",
    "Lower its request, or add nodes.",
  ],
  [/Too many pods/i, "the nodes have reached their limit of pods", "Add nodes, or raise the limit."],
  [
    /Insufficient [\w./-]+/i,
    "a resource that it requests is used up",
    "Lower its request, or add nodes that have it.",
  ],
  [
    /persistentvolumeclaim|volume node affinity|volume|disk conflict/i,
    "its volume does not exist or is bound to another zone or node",
    "Look at the persistent volume claim: it must exist and be bound where there are nodes.",
  ],
  [
    /taint/i,
    "nodes have taints that it does not tolerate",
    "Add a toleration, or remove the taint if it is no longer needed.",
  ],
  [/anti-?affinity/i, "its anti-affinity rules exclude every node", "Loosen the rules, or add nodes."],
  [
    /affinity|selector/i,
    "no node has the labels that it requires",
    "Correct its selector or affinity, or label a node.",
  ],
  [/topology spread/i, "its topology spread rules exclude every node", "Loosen the rules, or add nodes."],
  [
    /free ports|host ?ports?/i,
    "its host port is taken on every node",
    "Use another port, or fewer replicas than nodes.",
  ],
  [
    /were unschedulable|is unschedulable/i,
    "nodes are cordoned",
    "Uncordon a node when its maintenance is over.",
  ],
  [/no nodes available/i, "the cluster has no nodes", "Add nodes."],
];

/** Describes why the scheduler found no node, and what helps, for every reason in its message. */
export function whyUnschedulable(message: string): { why: string; advice: string } {
  // The part about preemption repeats the same nodes.
  const text = message.split(/preemption:/i)[0] ?? "";
  const found: [string, string][] = [];
  let left = text;
  for (const [pattern, why, advice] of REASONS) {
    if (!pattern.test(left)) continue;
    found.push([why, advice]);
    left = left.replace(new RegExp(pattern.source, "gi"), "");
  }
  if (found.length === 0) return { why: "the scheduler found no node", advice: "The evidence says why." };
  return { why: found.map(([why]) => why).join("; "), advice: found.map(([, advice]) => advice).join(" ") };
}

const UNTAKEN_SECONDS = 60;

function scheduled(pod: V1Pod) {
  return pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
}

/** Finds pods that cannot be scheduled, and why. */
export const scheduling: Analyser = (facts) => {
  const refused = livePods(facts).filter((pod) => scheduled(pod)?.status === "False" && !pod.spec?.nodeName);
  const said = (pod: V1Pod) => scheduled(pod)?.message ?? "";
  const groups = grouped(refused, (pod) => whyUnschedulable(said(pod)).why);
  const drafts = [...groups].map(([why, same]): Draft => {
    const names = same.map(nameOf);
    const events = eventsOf(facts, "pod", names[0] as string, "FailedScheduling");
    return {
      code: "unschedulable",
      title: `No node can take ${podsText(names)}: ${why}`,
      meaning: whyUnschedulable(said(same[0] as V1Pod)).advice,
      facts: [
        ...firstFacts(same, (pod) => ({
          subject: `pod/${nameOf(pod)}`,
          text: `is not scheduled: ${oneLine(said(pod)) || "no message from the scheduler"}`,
          at: scheduled(pod)?.lastTransitionTime,
        })),
        ...events.slice(0, 1).map(eventFact),
      ],
      pods: names,
    };
  });
  return [...drafts, ...unhandledByScheduler(facts)];
};

/** Finds pods that no scheduler has handled for a minute: theirs does not exist or does not run. */
const unhandledByScheduler: Analyser = (facts) => {
  const left = livePods(facts).filter(
    (pod) =>
      !pod.spec?.nodeName &&
      scheduled(pod) === undefined &&
      secondsSince(pod.metadata?.creationTimestamp, facts.now) > UNTAKEN_SECONDS,
  );
  if (left.length === 0) return [];
  const names = left.map(nameOf);
  const scheduler = left[0]?.spec?.schedulerName ?? "default-scheduler";
  return [
    {
      code: "unschedulable",
      title: `No scheduler has handled ${podsText(names)}`,
      meaning: `They wait for the scheduler ${scheduler}: check that it runs.`,
      facts: firstFacts(left, (pod) => ({
        subject: `pod/${nameOf(pod)}`,
        text: "is pending, on no node, with no condition from a scheduler",
        at: pod.metadata?.creationTimestamp,
      })),
      pods: names,
    },
  ];
};
