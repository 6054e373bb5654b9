import type { Executor } from "../../../execution/index.ts";
import type { Investigator } from "../../../investigation/index.ts";
import { AwoooiError, messageOf } from "../../../lib/error.ts";
import { needsRestart } from "../../../lib/setting.ts";
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

/** Returns null if no cluster is configured. Throws `invalid` with every fault of the files that the settings name. */
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

/** Returns the faults of the files that the settings name. */
function problems(config: KubernetesConfig) {
  try {
    createClusters(config);
    return [];
  } catch (error) {
    const found = error instanceof AwoooiError ? error.errors : [{ path: PATH, message: messageOf(error) }];
    return found.map(({ path, message }) => ({ path: path.slice(PATH.length + 1), message, fatal: true }));
  }
}

const DESCRIPTION =
  "clusters that AWOOOI reads and changes; none unless one is named here; grant the account only what it needs: before people are asked, the API server says which permissions it lacks for the plan";
const PATH = "kubernetes";

/** Kubernetes clusters: executes operations on them, and observes and investigates what runs there. */
export const kubernetes = {
  id: "kubernetes",
  settings: {
    path: PATH,
    schema: needsRestart(kubernetesConfig.prefault({} as never)).describe(DESCRIPTION),
  },
  problems,
  create,
};
