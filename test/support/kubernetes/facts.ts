import type {
  CoreV1Event,
  V1Container,
  V1ContainerStatus,
  V1Deployment,
  V1Node,
  V1Pod,
  V1PodTemplateSpec,
} from "@kubernetes/client-node";
import {
  type Facts,
  noFacts,
  type Revision,
} from "../../../src/adapters/executors/kubernetes/analyse/index.ts";

// Literal objects as a cluster gives them, made short: what a test does not say is well.

const NOW = new Date("2026-07-01T12:00:00Z");
/** A time so many seconds ago. */
export const earlier = (seconds: number) => new Date(NOW.getTime() - seconds * 1000);

const TARGET = { kind: "deployment", name: "api", namespace: "prod" };

export type PodValues = {
  name?: string;
  hash?: string;
  container?: Partial<V1Container>;
  status?: Partial<V1ContainerStatus>;
  init?: { spec?: Partial<V1Container>; status: Partial<V1ContainerStatus> };
  pod?: Partial<NonNullable<V1Pod["status"]>>;
  meta?: Partial<NonNullable<V1Pod["metadata"]>>;
  node?: string | null;
};

/** A pod with one container, which runs and is ready unless `status` says otherwise. */
export function podOf(values: PodValues = {}): V1Pod {
  const { name = "api-1", hash = "new", container, status, init, pod, meta, node = "node-1" } = values;
  const ready = status === undefined && init === undefined && pod === undefined;
  const one = (more: Partial<V1ContainerStatus>): V1ContainerStatus =>
    ({
      name: "main",
      image: "web:1",
      imageID: "",
      ready,
      restartCount: 0,
      state: ready ? { running: { startedAt: earlier(7_200) } } : {},
      ...more,
    }) as V1ContainerStatus;
  return {
    metadata: {
      name,
      labels: { app: "api", "pod-template-hash": hash },
      creationTimestamp: earlier(7_200),
      ...meta,
    },
    spec: {
      containers: [{ name: "main", image: "web:1", ...container }],
      ...(init && { initContainers: [{ name: "wait", image: "wait:1", ...init.spec }] }),
      ...(node !== null && { nodeName: node }),
    },
    status: {
      phase: ready ? "Running" : "Pending",
      conditions: [
        { type: "PodScheduled", status: "True" },
        { type: "Ready", status: ready ? "True" : "False" },
      ],
      containerStatuses: [one(status ?? {})],
      ...(init && { initContainerStatuses: [one({ name: "wait", ...init.status })] }),
      ...pod,
    },
  };
}

/** A container that waits for `reason`. */
export const waits = (reason: string, message = "", more: Partial<V1ContainerStatus> = {}) => ({
  status: { state: { waiting: { reason, message } }, ...more },
});

/** One that has ended so many seconds ago, and waits or runs again. */
export function ended(
  exitCode: number,
  seconds: number,
  more: Partial<V1ContainerStatus> = {},
  reason = "Error",
) {
  const terminated = { exitCode, reason, finishedAt: earlier(seconds) };
  return { restartCount: 1, lastState: { terminated }, ...more };
}

export const RUNNING = { running: { startedAt: earlier(600) } };
export const LOOPING = { waiting: { reason: "CrashLoopBackOff", message: "back-off" } };

export function eventOf(
  kind: string,
  name: string,
  reason: string,
  message: string,
  seconds = 60,
): CoreV1Event {
  return {
    metadata: {},
    involvedObject: { kind, name },
    reason,
    message,
    count: 3,
    lastTimestamp: earlier(seconds),
  };
}

export const templateOf = (values: Partial<V1Container> = {}, more: object = {}): V1PodTemplateSpec => ({
  metadata: { labels: { app: "api" } },
  spec: { containers: [{ name: "main", image: "web:1", ...values }], ...more },
});

export const revisionOf = (
  number: number,
  hash: string,
  seconds: number,
  template = templateOf(),
): Revision => ({
  number,
  hash,
  name: `api-${hash}`,
  since: earlier(seconds),
  template,
  failure: null,
});

export function deploymentOf(
  status: NonNullable<V1Deployment["status"]> = {},
  spec: object = {},
): NonNullable<Facts["workload"]> {
  return {
    kind: "deployment",
    object: {
      metadata: { name: "api", namespace: "prod", generation: 1 },
      spec: { replicas: 1, selector: {}, template: templateOf(), ...spec },
      status: { observedGeneration: 1, replicas: 1, readyReplicas: 1, updatedReplicas: 1, ...status },
    },
  };
}

/** A node that is ready, with these conditions beside. */
export const nodeOf = (conditions: Record<string, string> = {}, spec: object = {}): V1Node => ({
  metadata: { name: "node-1" },
  spec,
  status: {
    conditions: Object.entries({ Ready: "True", ...conditions }).map(([type, status]) => ({
      type,
      status,
      message: "the kubelet says so",
      lastTransitionTime: earlier(300),
    })),
  },
});

/** Facts about the deployment `api`, of which everything is well where nothing else is said. */
export function factsOf(values: Partial<Facts> = {}): Facts {
  return { ...noFacts(NOW, TARGET), workload: deploymentOf(), pods: [podOf()], ...values };
}
