import type { CoreV1Event, V1Container, V1ContainerStatus, V1Pod } from "@kubernetes/client-node";
import { counted } from "../../../../lib/words.ts";
import type { Fact, Facts } from "./facts.ts";
import { oneLine } from "./text.ts";

/** What happened longer ago no longer matters. */
export const LATELY_SECONDS = 3_600;

export const nameOf = (object: { metadata?: { name?: string } }): string => object.metadata?.name ?? "?";

export const secondsSince = (then: Date | undefined | null, now: Date): number =>
  then ? (now.getTime() - new Date(then).getTime()) / 1000 : Number.POSITIVE_INFINITY;

/** Returns the pods that are meant to run: neither ended nor being deleted. */
export function livePods({ pods }: Facts): V1Pod[] {
  return pods.filter(
    ({ metadata, status }) =>
      metadata?.deletionTimestamp === undefined && !["Succeeded", "Failed"].includes(status?.phase ?? ""),
  );
}

/** A container of a pod, with its status; `init`: it is an init container. */
export type Container = {
  pod: V1Pod;
  status: V1ContainerStatus;
  spec: V1Container | undefined;
  init: boolean;
};

export function containersOf(pod: V1Pod): Container[] {
  const of = (statuses: V1ContainerStatus[] = [], specs: V1Container[] = [], init: boolean) =>
    statuses.map((status) => ({ pod, status, spec: specs.find((one) => one.name === status.name), init }));
  return [
    ...of(pod.status?.initContainerStatuses, pod.spec?.initContainers, true),
    ...of(pod.status?.containerStatuses, pod.spec?.containers, false),
  ];
}

export const isReady = (pod: V1Pod): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;

/** Groups items by key; items without a key are left out. */
export function grouped<T>(items: readonly T[], keyOf: (item: T) => string | undefined): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key === undefined) continue;
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return groups;
}

/** Returns the names of the pods that the items belong to, each once. */
export const podNames = (items: readonly { pod: V1Pod }[]): string[] => [
  ...new Set(items.map(({ pod }) => nameOf(pod))),
];

export const eventTime = (event: CoreV1Event): Date | undefined =>
  event.lastTimestamp ?? event.series?.lastObservedTime ?? event.eventTime ?? event.firstTimestamp;

/** Returns the events about one object, newest first; of any reason if `reasons` is empty. */
export function eventsOf(
  { events }: Facts,
  kind: string,
  name: string,
  ...reasons: readonly string[]
): CoreV1Event[] {
  return events
    .filter(({ involvedObject, reason = "" }) => {
      const about = involvedObject.kind?.toLowerCase() === kind && involvedObject.name === name;
      return about && (reasons.length === 0 || reasons.includes(reason));
    })
    .sort((a, b) => (eventTime(b)?.getTime() ?? 0) - (eventTime(a)?.getTime() ?? 0));
}

/** Returns an event as a fact. */
export function eventFact(event: CoreV1Event): Fact {
  const { involvedObject, reason = "event", message = "", count = 1 } = event;
  const times = count > 1 ? `, ${counted(count, "time")}` : "";
  return {
    subject: `${involvedObject.kind?.toLowerCase() ?? "object"}/${involvedObject.name ?? "?"}`,
    text: `event ${oneLine(reason, 60)}${times}: ${oneLine(message)}`,
    at: eventTime(event),
  };
}

/** Returns a container's state as a fact. */
export function stateFact({ pod, status, init }: Container): Fact {
  const { state = {}, lastState = {}, restartCount, ready } = status;
  const ended = state.terminated ?? lastState.terminated;
  const parts = [
    state.waiting &&
      `is waiting (${state.waiting.reason ?? "no reason"}: ${oneLine(state.waiting.message ?? "no message")})`,
    state.running && `is running, ${ready ? "ready" : "not ready"}`,
    ended &&
      `${state.terminated ? "ended" : "ended before"} with exit code ${ended.exitCode}` +
        `${ended.reason ? ` (${oneLine(ended.reason, 60)})` : ""}` +
        `${ended.message ? `: ${oneLine(ended.message)}` : ""}`,
    `${counted(restartCount, "restart")}`,
  ];
  return {
    subject: `pod/${nameOf(pod)}`,
    text: `${init ? "init container" : "container"} ${status.name} ${parts.filter(Boolean).join("; ")}`,
    at: ended?.finishedAt,
  };
}

/** Returns the facts of the first two items: the items are alike, and more would say nothing new. */
export function firstFacts<T>(items: readonly T[], factOf: (item: T) => Fact): [Fact, ...Fact[]] {
  return items.slice(0, 2).map(factOf) as [Fact, ...Fact[]];
}
