import type { Executor } from "../../../execution/index.ts";
import type { Investigator } from "../../../investigation/index.ts";
import { AwoooiError, messageOf } from "../../../lib/error.ts";
import type { Observer } from "../../../verification/index.ts";
import { createExecutor } from "./act/executor.ts";
import { type Clusters, createClusters } from "./cluster/client.ts";
import { clustersOf, type KubernetesConfig, kubernetesConfig } from "./cluster/config.ts";
import { createInvestigator } from "./facts/investigator.ts";
import { createObserver } from "./observe/observer.ts";

export type { KubernetesConfig } from "./cluster/config.ts";

export type Kubernetes = {
  clusters: Clusters;
  executor: Executor;
  observer: Observer;
  investigator: Investigator;
};

/** Null: no cluster is configured. Throws `invalid` with all that is wrong with the files that are named. */
function create(config: KubernetesConfig): Kubernetes | null {
  if (clustersOf(config).length === 0) return null;
  const clusters = createClusters(config);
  return {
    clusters,
    executor: createExecutor(clusters, config),
    observer: createObserver(clusters, config),
    investigator: createInvestigator(clusters, config),
  };
}

/** What is wrong with the files that the settings name. */
function problems(config: KubernetesConfig) {
  try {
    createClusters(config);
    return [];
  } catch (error) {
    const found = error instanceof AwoooiError ? error.errors : [{ path: PATH, message: messageOf(error) }];
    return found.map(({ path, message }) => ({ path: path.slice(PATH.length + 1), message, fatal: true }));
  }
}

const PATH = "kubernetes";

/** Kubernetes clusters: acts on what runs there, and sees whether it is well. */
export const kubernetes = {
  id: "kubernetes",
  settings: { path: PATH, schema: kubernetesConfig.prefault({} as never), reloadable: false },
  problems,
  create,
};
