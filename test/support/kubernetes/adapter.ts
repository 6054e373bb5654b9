import { AppsV1Api, CoreV1Api, type V1Pod } from "@kubernetes/client-node";
import {
  type Kubernetes,
  type KubernetesConfig,
  kubernetes,
} from "../../../src/adapters/executors/kubernetes/index.ts";
import type { DryRun, Run } from "../../../src/execution/index.ts";
import type { Operation } from "../../../src/operation/index.ts";
import { operation as operationSchema } from "../../../src/operation/index.ts";
import { until } from "../until.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import { type Kubelet, startKubelet } from "./kubelet.ts";
import { shareCluster } from "./shared-cluster.ts";

export const NEVER = new AbortController().signal;

/** The section as it is after parsing. Containers settle at once; what is to succeed may take its time. */
export const configOf = (settings: object): KubernetesConfig =>
  kubernetes.settings.schema.parse({
    settle: "100ms",
    request_timeout: "2m",
    drain_wait: "5m",
    ...settings,
  });

export function adapterOf(settings: object): Kubernetes {
  const made = kubernetes.create(configOf(settings));
  if (made === null) throw new Error("no cluster is configured");
  return made;
}

let count = 0;
/** A run of its own, with what was there before. */
export const runOf = (
  before: Record<string, unknown>,
  execution_id = `EXE-${process.pid}-${++count}`,
): Run => ({
  execution_id,
  attempt: 1,
  before,
});

export const operationOf = (value: object): Operation => operationSchema.parse(value);

/** The check of this name. */
export const checkOf = ({ checks }: DryRun, name: string) => checks.find((one) => one.name === name);

/** A cluster with two nodes, and the adapter as its administrator. */
export type Stage = {
  cluster: Cluster;
  kubelet: Kubelet;
  apps: AppsV1Api;
  core: CoreV1Api;
  adapter: Kubernetes;
  stop(): Promise<void>;
};

/** `own`: with a cluster that no other file uses, for a test that stops its API server. */
export async function startStage({ own = false } = {}): Promise<Stage> {
  const cluster = await (own ? startCluster() : shareCluster());
  try {
    const kubelet = await startKubelet(cluster, { beat: 200 });
    return {
      cluster,
      kubelet,
      apps: cluster.admin.makeApiClient(AppsV1Api),
      core: cluster.admin.makeApiClient(CoreV1Api),
      adapter: adapterOf({ kubeconfig: cluster.kubeconfig }),
      async stop() {
        await kubelet.stop();
        await cluster.stop();
      },
    };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

/** Waits until the adapter's observer finds the target well. */
export function well(adapter: Kubernetes, operation: Operation, before?: Record<string, unknown>) {
  const { target } = operation;
  if (target === null) throw new Error("there is nothing to look at");
  const deed = before && { operation, before };
  let last: unknown;
  return until(async () => {
    const seen = await adapter.observer.observe(target, new Date(), deed);
    last = seen;
    return seen.healthy === true && seen;
  }, `${target.kind} ${target.name} to be well`).catch((error: Error) => {
    throw new Error(`${error.message}: ${JSON.stringify(last)}`);
  });
}

/** Does what the pipeline does: resolves, tries, keeps what was there, acts, and looks until it is well. */
export async function carryOut(adapter: Kubernetes, asked: Operation) {
  const { executor } = adapter;
  const resolution = await executor.resolve(asked);
  if (resolution.result !== "hit") throw new Error(JSON.stringify(resolution));
  const operation = resolution.exact ?? asked;
  const dryRun = await executor.dryRun(operation);
  // As it is kept in the database.
  const before = JSON.parse(JSON.stringify(await executor.snapshot(operation)));
  const run = runOf(before);
  const result = await executor.act(operation, run, NEVER);
  if (!result.ok) throw new Error(JSON.stringify(result));
  const seen = await well(adapter, operation, before);
  return { operation, dryRun, before, run, result, seen, undo: executor.undo(operation, before) };
}

export const isReady = ({ status }: V1Pod) =>
  status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") ?? false;
