import { createHash } from "node:crypto";
import type { V1Container, V1Pod } from "@kubernetes/client-node";
import type { Behaviour } from "./behaviour.ts";

/** What the stand-in remembers of a container; times as on the wire. */
export type Life = {
  behaviour: Behaviour;
  /** Since when it does so. */
  since: string;
  restarts: number;
  /** How many times its kubelet has tried again since then. */
  tries: number;
  /** How it ended last. */
  end?: object;
};

/** Kubernetes' times have no fractions. */
export const timestamp = (): string => new Date().toISOString().replace(/\.\d+/, "");

/** A digest of these parts, as identifiers of containers and images are. */
export const digest = (...parts: unknown[]): string =>
  createHash("sha256").update(parts.join("\n")).digest("hex");

/** What the runtime calls the container, another one after each restart. */
export const containerId = (pod: V1Pod, { name }: V1Container, { restarts }: Life): string =>
  `containerd://${digest(pod.metadata?.uid, name, restarts)}`;

const ends = ({ kind }: Behaviour) => kind === "crashes" || kind === "completes";

/** Whether the container has ended and is not restarted any more. */
export function isOver(pod: V1Pod, { behaviour }: Life): boolean {
  const policy = pod.spec?.restartPolicy;
  return (
    ends(behaviour) && (policy === "Never" || (policy === "OnFailure" && behaviour.kind === "completes"))
  );
}

/** A container goes on with `now`: anew where that is something else, else its kubelet tries once more. */
export function nextLife(pod: V1Pod, container: V1Container, was: Life | undefined, now: Behaviour): Life {
  const known = pod.status?.containerStatuses?.find(({ name }) => name === container.name);
  const same = was !== undefined && isSame(was.behaviour, now);
  const life: Life = {
    ...was,
    behaviour: now,
    since: same ? was.since : timestamp(),
    restarts: was?.restarts ?? known?.restartCount ?? 0,
    tries: same ? was.tries + 1 : 0,
  };
  if (!ends(now)) return life;
  life.end = endOf(pod, container, life, was?.since ?? life.since);
  if (!isOver(pod, life)) life.restarts += 1;
  return life;
}

/** Whether a container that does the one also does the other. */
export const isSame = (one: Behaviour, other: Behaviour): boolean =>
  JSON.stringify(one) === JSON.stringify(other);

function endOf(pod: V1Pod, container: V1Container, life: Life, startedAt: string): object {
  const times = { startedAt, finishedAt: timestamp(), containerID: containerId(pod, container, life) };
  const { behaviour } = life;
  if (behaviour.kind !== "crashes") return { exitCode: 0, reason: "Completed", ...times };
  const { reason = "Error", message } = behaviour;
  const exitCode = behaviour.exitCode ?? (reason === "OOMKilled" ? 137 : 1);
  return { exitCode, reason, ...(message !== undefined && { message }), ...times };
}
