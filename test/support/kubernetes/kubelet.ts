import { CoreV1Api, PatchStrategy, setHeaderOptions, type V1Node, type V1Pod } from "@kubernetes/client-node";
import { type BehaviourOf, behaviourByImage } from "./behaviour.ts";
import type { Cluster } from "./cluster.ts";
import { follow } from "./follow.ts";
import { type LogsOf, startLogServer } from "./log-server.ts";
import { conditionsOf, type NodeCondition, nodeOf } from "./node.ts";
import { Pods } from "./pods.ts";

export type KubeletOptions = {
  nodes?: readonly string[];
  behaviour?: BehaviourOf;
  logs?: LogsOf;
  /** Milliseconds between two tries of what fails; a real kubelet waits for 10 s and longer. */
  beat?: number;
};

export type Kubelet = {
  /** Pods behave otherwise from now on, those that there are too. */
  behave(behaviour: BehaviourOf): void;
  /** Containers have written something else. */
  answerLogs(logs: LogsOf): void;
  /** A node's condition holds from now on, or does not. One that is not `Ready` leaves its pods alone. */
  condition(node: string, type: NodeCondition, holds: boolean): Promise<void>;
  /** Nothing is placed, reported or removed any more. */
  stop(): Promise<void>;
};

/** Less than the 40 s after which the node controller takes a node for lost. */
const HEARTBEAT = 10_000;
const MERGE = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);

/** A node's own view of itself. */
class Self {
  readonly #holds = new Set<NodeCondition>(["Ready"]);
  readonly #since = new Map<NodeCondition, Date>();
  readonly #start = new Date();
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  get isAlive(): boolean {
    return this.#holds.has("Ready");
  }

  set(type: NodeCondition, holds: boolean): void {
    if (this.#holds.has(type) === holds) return;
    if (holds) this.#holds.add(type);
    else this.#holds.delete(type);
    this.#since.set(type, new Date());
  }

  conditions(): object[] {
    return conditionsOf(this.#holds, this.#since, this.#start);
  }
}

/**
 * Stands in for the scheduler and for the kubelets of all nodes: pods are placed and reported on, and end when
 * they are deleted, but no container ever runs. It survives that the API server is started again.
 */
export async function startKubelet(cluster: Cluster, options: KubeletOptions = {}): Promise<Kubelet> {
  const { nodes = ["node-1", "node-2"], behaviour = behaviourByImage, beat = 1_000 } = options;
  let logs: LogsOf = options.logs ?? ((_pod, container) => `${container} has started\n`);
  const core = cluster.admin.makeApiClient(CoreV1Api);
  const selves = new Map(nodes.map((name) => [name, new Self(name)]));
  const pods = new Pods(core, behaviour, (name) => selves.get(name)?.isAlive ?? false, beat);
  const server = await startLogServer(
    cluster.certificate,
    (namespace, name) => pods.find(namespace, name),
    (pod, container, previous) => logs(pod, container, previous),
  );
  for (const self of selves.values())
    await core.createNode({ body: nodeOf(self.name, server.port, cluster.version, self.conditions()) });
  const report = (self: Self) =>
    core.patchNodeStatus({ name: self.name, body: { status: { conditions: self.conditions() } } }, MERGE);
  const heartbeat = setInterval(() => {
    // The API server may be away: the next one comes soon enough.
    for (const self of selves.values()) report(self).catch(() => {});
  }, HEARTBEAT).unref();
  const stopped = new AbortController();
  const followed = [
    follow<V1Node>(cluster.admin, "/api/v1/nodes", stopped.signal, (type, node) => pods.node(type, node)),
    follow<V1Pod>(cluster.admin, "/api/v1/pods", stopped.signal, (type, pod) => pods.pod(type, pod)),
  ];
  return {
    behave: (other) => pods.behave(other),
    answerLogs(other) {
      logs = other;
    },
    async condition(node, type, holds) {
      const self = selves.get(node);
      if (self === undefined) throw new Error(`there is no node ${node}`);
      self.set(type, holds);
      await report(self);
      if (self.isAlive) pods.reportAll(node);
    },
    async stop() {
      clearInterval(heartbeat);
      stopped.abort();
      await Promise.all(followed);
      await pods.stop();
      await server.stop();
    },
  };
}
