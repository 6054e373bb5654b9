import type { V1Container, V1Pod } from "@kubernetes/client-node";
import { containerId, digest, isOver, type Life, timestamp } from "./life.ts";

/** A container with what has become of it. */
export type Lived = { container: V1Container; life: Life };

type Condition = { type: string; status: "True" | "False"; reason?: string; message?: string };

/** The status of a pod on a node, as its kubelet reports it. */
export function podStatus(pod: V1Pod, lived: readonly Lived[], podIP: string): object {
  const statuses = lived.map((one) => containerStatus(pod, one));
  const unready = statuses.filter(({ ready }) => !ready).map(({ name }) => name);
  const phase = phaseOf(pod, lived);
  const why = {
    status: "False",
    reason: phase === "Succeeded" ? "PodCompleted" : "ContainersNotReady",
    ...(phase !== "Succeeded" && { message: `containers with unready status: [${unready.join(" ")}]` }),
  } as const;
  const ready = unready.length === 0 ? ({ status: "True" } as const) : why;
  return {
    phase,
    hostIP: "127.0.0.1",
    podIP,
    podIPs: [{ ip: podIP }],
    startTime: pod.status?.startTime ?? timestamp(),
    conditions: withTimes(pod, [
      { type: "Initialized", status: "True" },
      { type: "Ready", ...ready },
      { type: "ContainersReady", ...ready },
      { type: "PodScheduled", status: "True" },
    ]),
    containerStatuses: statuses,
  };
}

/** The status of a pod that no node takes. */
export function unscheduledStatus(pod: V1Pod, message: string): object {
  const scheduled = { type: "PodScheduled", status: "False", reason: "Unschedulable", message } as const;
  return { phase: "Pending", conditions: withTimes(pod, [scheduled]) };
}

/** A condition has the time of when it came to be so. */
function withTimes(pod: V1Pod, conditions: readonly Condition[]): object[] {
  return conditions.map((condition) => {
    const was = pod.status?.conditions?.find(({ type }) => type === condition.type);
    const since = was?.status === condition.status ? was.lastTransitionTime : undefined;
    return { lastProbeTime: null, lastTransitionTime: since ?? timestamp(), ...condition };
  });
}

function phaseOf(pod: V1Pod, lived: readonly Lived[]): string {
  const over = lived.filter(({ life }) => isOver(pod, life));
  if (over.length === lived.length)
    return over.every(({ life }) => life.behaviour.kind === "completes") ? "Succeeded" : "Failed";
  return lived.every(({ life }) => hasBegun(life)) ? "Running" : "Pending";
}

const isRunning = ({ behaviour: { kind } }: Life) => kind === "runs" || kind === "never_ready";
const hasBegun = (life: Life) => isRunning(life) || life.end !== undefined;

function containerStatus(pod: V1Pod, { container, life }: Lived) {
  const { name, image } = container;
  const begun = hasBegun(life);
  return {
    name,
    image,
    imageID: begun ? `docker.io/library/${image?.split(":")[0]}@sha256:${digest(image)}` : "",
    ...(begun && { containerID: containerId(pod, container, life) }),
    ready: life.behaviour.kind === "runs",
    started: isRunning(life),
    restartCount: life.restarts,
    state: stateOf(pod, container, life),
    lastState: life.end !== undefined && !isOver(pod, life) ? { terminated: life.end } : {},
  };
}

function stateOf(pod: V1Pod, container: V1Container, life: Life): object {
  const waiting = (reason: string, message?: string) => ({
    waiting: { reason, ...(message !== undefined && { message }) },
  });
  if (isRunning(life)) return { running: { startedAt: life.since } };
  if (isOver(pod, life)) return { terminated: life.end };
  switch (life.behaviour.kind) {
    case "crashes":
    case "completes":
      return waiting("CrashLoopBackOff", restartMessage(pod, container, life));
    case "image_pull":
      if (life.tries === 0) return waiting("ErrImagePull", pullError(container, life));
      return waiting("ImagePullBackOff", `Back-off pulling image "${container.image}"`);
    default:
      return waiting("ContainerCreating");
  }
}

/** How long the kubelet says that it waits: twice as long each time, at most five minutes. */
function restartMessage(pod: V1Pod, { name }: V1Container, { tries }: Life): string {
  const seconds = Math.min(10 * 2 ** Math.min(tries, 5), 300);
  const wait = seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
  const { name: of, namespace, uid } = pod.metadata ?? {};
  return `back-off ${wait} restarting failed container=${name} pod=${of}_${namespace}(${uid})`;
}

/** What a registry answers that does not have the image, or the message that the test gives. */
function pullError({ image }: V1Container, { behaviour }: Life): string {
  if (behaviour.kind === "image_pull" && behaviour.message !== undefined) return behaviour.message;
  const text = `failed to pull and unpack image "docker.io/library/${image}": not found`;
  return `rpc error: code = NotFound desc = ${text}`;
}

/** What the kubelet tells of a container that has just begun to live so, or been tried once more. */
export function eventsOf({ container, life }: Lived): [type: string, reason: string, message: string][] {
  const { name, image } = container;
  const { behaviour, tries } = life;
  const started: [string, string, string][] = [
    ["Normal", "Pulled", `Container image "${image}" already present on machine`],
    ["Normal", "Created", `Created container ${name}`],
    ["Normal", "Started", `Started container ${name}`],
  ];
  switch (behaviour.kind) {
    case "image_pull":
      if (tries > 0)
        return [
          ["Normal", "BackOff", `Back-off pulling image "${image}"`],
          ["Warning", "Failed", "Error: ImagePullBackOff"],
        ];
      return [
        ["Normal", "Pulling", `Pulling image "${image}"`],
        ["Warning", "Failed", `Failed to pull image "${image}": ${pullError(container, life)}`],
        ["Warning", "Failed", "Error: ErrImagePull"],
      ];
    case "crashes":
      return [...started, ["Warning", "BackOff", "Back-off restarting failed container"]];
    case "never_ready": {
      const message = behaviour.message ?? "HTTP probe failed with statuscode: 503";
      const unhealthy: [string, string, string] = [
        "Warning",
        "Unhealthy",
        `Readiness probe failed: ${message}`,
      ];
      return tries > 0 ? [unhealthy] : [...started, unhealthy];
    }
    case "runs":
    case "completes":
      return started;
    default:
      return [];
  }
}
