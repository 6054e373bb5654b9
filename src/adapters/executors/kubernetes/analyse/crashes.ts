import type { V1ContainerStateTerminated } from "@kubernetes/client-node";
import { counted } from "../../../../lib/words.ts";
import { exitMeaning } from "./exit-codes.ts";
import type { Analyser, Draft, Fact, Facts } from "./facts.ts";
import {
  type Container,
  containersOf,
  eventFact,
  eventsOf,
  firstFacts,
  grouped,
  LATELY_SECONDS,
  livePods,
  podNames,
  secondsSince,
  stateFact,
} from "./pods.ts";
import { ago, logTail, podsText } from "./text.ts";

/** Returns how a container last terminated, whether or not it runs again. */
export const lastEnd = ({ status }: Container): V1ContainerStateTerminated | undefined =>
  status.state?.terminated ?? status.lastState?.terminated;

const LOOP = ["CrashLoopBackOff", "RunContainerError", "StartError"];
const FAST_SECONDS = 600;

function endedLately(one: Container, now: Date): boolean {
  return secondsSince(lastEnd(one)?.finishedAt, now) <= LATELY_SECONDS;
}

/** Tells whether a container is in a crash loop: in back-off, or terminated repeatedly, the last time just now. */
function inCrashLoop(one: Container, now: Date): boolean {
  const { state = {}, restartCount, ready } = one.status;
  if (LOOP.includes(state.waiting?.reason ?? "")) return true;
  const failed = state.terminated !== undefined && state.terminated.exitCode !== 0;
  if (failed && (restartCount > 0 || state.terminated?.reason === "StartError")) return true;
  return restartCount >= 3 && !ready && secondsSince(lastEnd(one)?.finishedAt, now) <= FAST_SECONDS;
}

const outOfMemory = (one: Container) => lastEnd(one)?.reason === "OOMKilled";

/** Returns the end of the first container's log as a fact. */
export function logFacts({ logs }: Facts, containers: readonly Container[]): Fact[] {
  const names = podNames(containers);
  const container = containers[0]?.status.name;
  const own = logs.filter((log) => log.container === container && names.includes(log.pod));
  // The log of the terminated container says more than that of the current one.
  const [tail] = own
    .filter(({ text }) => text.trim() !== "")
    .sort((a, b) => Number(b.previous) - Number(a.previous));
  if (tail === undefined) return [];
  const which = tail.previous ? "log before it last ended" : "log";
  return [
    { subject: `pod/${tail.pod}`, text: `${which}, container ${tail.container}:\n${logTail(tail.text)}` },
  ];
}

const restarts = (same: readonly Container[]) => same.reduce((sum, one) => sum + one.status.restartCount, 0);

function memoryDraft(facts: Facts, same: readonly Container[]): Draft {
  const [one] = same as [Container];
  const limit = one.spec?.resources?.limits?.memory;
  const node = one.pod.spec?.nodeName ?? "";
  const system = eventsOf(facts, "node", node, "SystemOOM", "OOMKilling");
  const ofNode = limit === undefined || system.length > 0;
  const names = podNames(same);
  const what = `Container ${one.status.name} of ${podsText(names)}`;
  return {
    code: ofNode ? "node_out_of_memory" : "out_of_memory",
    title: ofNode
      ? `${what} was killed because its node ran out of memory`
      : `${what} was killed at its memory limit of ${limit}`,
    meaning: ofNode
      ? `${limit === undefined ? "It has no memory limit. " : ""}Set requests and limits that match what runs on the node, or give the node more memory.`
      : "It needs more than its limit: raise the limit or find what uses the memory; a restart only helps until it has grown again.",
    facts: [...firstFacts(same, stateFact), ...system.slice(0, 1).map(eventFact)],
    pods: names,
  };
}

/** Finds containers that were OOM-killed: at their own limit, or because the node had no memory left. */
export const memory: Analyser = (facts) => {
  const killed = facts.pods
    .filter(({ metadata }) => metadata?.deletionTimestamp === undefined)
    .flatMap(containersOf)
    .filter((one) => outOfMemory(one) && (endedLately(one, facts.now) || inCrashLoop(one, facts.now)));
  const keyOf = ({ status, spec }: Container) =>
    `${status.name} ${spec?.resources?.limits?.memory ?? "none"}`;
  return [...grouped(killed, keyOf).values()].map((same) => memoryDraft(facts, same));
};

function endText(one: Container): string {
  const end = lastEnd(one);
  if (end === undefined) return "it did not start";
  return `exit code ${end.exitCode}, ${exitMeaning(end.exitCode)}`;
}

function crashDraft(facts: Facts, same: readonly Container[]): Draft {
  const [one] = same as [Container];
  const names = podNames(same);
  const kind = one.init ? "Init container" : "Container";
  const end = lastEnd(one);
  const code = end === undefined ? "" : ` with exit code ${end.exitCode}`;
  return {
    code: "crash_loop",
    title: `${kind} ${one.status.name} of ${podsText(names)} ends again and again${code}`,
    meaning: `${counted(restarts(same), "restart")}; ${endText(one)}.`,
    facts: [...firstFacts(same, stateFact), ...logFacts(facts, same)],
    pods: names,
  };
}

const exitKey = (one: Container) => `${one.status.name} ${lastEnd(one)?.exitCode ?? "none"}`;

/** Finds containers in a crash loop, with the meaning of their exit code and the end of their log. */
export const crashLoops: Analyser = (facts) => {
  const looping = livePods(facts)
    .flatMap(containersOf)
    .filter((one) => inCrashLoop(one, facts.now));
  return [...grouped(looping, exitKey).values()].map((same) => crashDraft(facts, same));
};

/** Finds containers that restarted within the last hour and run again. */
export const restartedLately: Analyser = (facts) => {
  const restarted = livePods(facts)
    .flatMap(containersOf)
    .filter((one) => !one.init && one.status.restartCount > 0 && endedLately(one, facts.now))
    .filter((one) => !inCrashLoop(one, facts.now));
  return [...grouped(restarted, exitKey).values()].map((same): Draft => {
    const [one] = same as [Container];
    const names = podNames(same);
    const finished = lastEnd(one)?.finishedAt ?? facts.now;
    return {
      code: "restarted_lately",
      title: `Container ${one.status.name} of ${podsText(names)} restarted ${ago(finished, facts.now)} ago and runs again`,
      meaning: `${counted(restarts(same), "restart")} in all; the last time ${endText(one)}.`,
      facts: [...firstFacts(same, stateFact), ...logFacts(facts, same)],
      pods: names,
    };
  });
};

const INIT_SECONDS = 300;

/** Finds init containers that have been running for 5 minutes or more: the pod waits for them. */
export const initContainers: Analyser = (facts) => {
  const waiting = livePods(facts)
    .flatMap(containersOf)
    // An init container with restartPolicy Always is a sidecar, which is meant to keep running.
    .filter(({ init, spec }) => init && spec?.restartPolicy !== "Always")
    .filter(({ status: { state } }) => {
      const since = state?.running?.startedAt;
      return since !== undefined && secondsSince(since, facts.now) >= INIT_SECONDS;
    });
  return [...grouped(waiting, ({ status }) => status.name).values()].map((same): Draft => {
    const [one] = same as [Container];
    const names = podNames(same);
    const since = one.status.state?.running?.startedAt ?? facts.now;
    return {
      code: "init_container_waiting",
      title: `Init container ${one.status.name} of ${podsText(names)} has been running for ${ago(since, facts.now)}`,
      meaning:
        "The pod's containers start only when it has ended: most often it waits for a dependency that is missing.",
      facts: [...firstFacts(same, stateFact), ...logFacts(facts, same)],
      pods: names,
    };
  });
};

/** Returns which logs to read to see why containers ended or are stuck: of three containers at most. */
export function wantsLog(facts: Facts): { pod: string; container: string; previous: boolean }[] {
  const of = facts.pods
    .filter(({ metadata }) => metadata?.deletionTimestamp === undefined)
    .flatMap(containersOf);
  const ended = of.filter((one) => {
    const failed = (one.status.state?.terminated?.exitCode ?? 0) !== 0;
    return failed || inCrashLoop(one, facts.now) || endedLately(one, facts.now);
  });
  const waiting = of.filter(({ init, status }) => init && status.state?.running !== undefined);
  // One pod for each container of the template: the logs of its other pods are alike.
  const each = [...grouped([...ended, ...waiting], ({ status }) => status.name).values()];
  return each.slice(0, 3).flatMap(([one]) => {
    if (one === undefined) return [];
    const [pod] = podNames([one]);
    const previous =
      one.status.state?.terminated === undefined && one.status.lastState?.terminated !== undefined;
    return [{ pod: pod as string, container: one.status.name, previous }];
  });
}
