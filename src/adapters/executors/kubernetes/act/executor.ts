import type { Executor } from "../../../../execution/index.ts";
import type { Operation } from "../../../../operation/index.ts";
import { clusterFor } from "../cluster/allowed-cluster.ts";
import type { Clusters } from "../cluster/client.ts";
import type { KubernetesConfig } from "../cluster/config.ts";
import { failureOf } from "../cluster/failure.ts";
import { readingHandler } from "../reads/index.ts";
import type { ReadOperation } from "../reads/resource.ts";
import type { Handler, KubernetesKind, Of } from "./kubernetes-operation.ts";
import { CHANGES } from "./operations/index.ts";
import { noUndo } from "./undo.ts";

const READS: readonly KubernetesKind[] = [
  "kubernetes.get",
  "kubernetes.describe",
  "kubernetes.logs",
  "kubernetes.top",
];
const KINDS = [...CHANGES.keys(), ...READS] as KubernetesKind[];

const isOurs = (operation: Operation): operation is Of<KubernetesKind> =>
  (KINDS as string[]).includes(operation.kind);

/** Returns the executor of Kubernetes operations on the configured clusters. */
export function createExecutor(clusters: Clusters, config: KubernetesConfig): Executor {
  const find = (operation: Operation): { ok: true; handler: Handler } | { ok: false; message: string } => {
    if (!isOurs(operation)) return { ok: false, message: `${operation.kind} is not a Kubernetes operation` };
    const found = clusterFor(clusters, config, operation);
    if (!found.ok) return found;
    const { cluster } = found;
    const change = CHANGES.get(operation.kind);
    const handler =
      change?.handler(cluster, operation, config) ??
      readingHandler(cluster, config, operation as ReadOperation);
    return { ok: true, handler };
  };
  /** Runs `work` for methods that report errors by throwing. The error never has the client's own text. */
  const asked = async <T>(operation: Operation, work: (handler: Handler) => Promise<T>): Promise<T> => {
    const found = find(operation);
    if (!found.ok) throw new Error(found.message);
    try {
      return await work(found.handler);
    } catch (error) {
      throw new Error(failureOf(error).message);
    }
  };
  return {
    id: "kubernetes",
    kinds: KINDS,
    configuration(operation) {
      if (!isOurs(operation)) return undefined;
      const found = clusterFor(clusters, config, operation);
      return found.ok ? { cluster: found.cluster.name, ...found.cluster.address } : undefined;
    },
    async resolve(operation) {
      const found = find(operation);
      if (!found.ok) return { result: "miss", message: found.message };
      try {
        return await found.handler.resolve();
      } catch (error) {
        return { result: "error", message: failureOf(error).message };
      }
    },
    dryRun: (operation) => asked(operation, (handler) => handler.dryRun()),
    snapshot: (operation) => asked(operation, (handler) => handler.snapshot()),
    async act(operation, run, signal) {
      const found = find(operation);
      if (!found.ok) return { ok: false, error: `Nothing was changed: ${found.message}`, sent: false };
      try {
        return await found.handler.act(run, signal);
      } catch (error) {
        const { message, status } = failureOf(error);
        return { ok: false, error: message, sent: true, ...(status === undefined ? {} : { status }) };
      }
    },
    effect: (operation, run) => asked(operation, (handler) => handler.effect(run)),
    undo(operation, snapshot) {
      const change = isOurs(operation) ? CHANGES.get(operation.kind) : undefined;
      return change?.undo(operation as Of<KubernetesKind>, snapshot) ?? noUndo("it changes nothing");
    },
  };
}
