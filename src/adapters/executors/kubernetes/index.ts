import { createClusters } from "./client.ts";
import { clustersOf, type KubernetesConfig, kubernetesConfig } from "./config.ts";
import { createInvestigator } from "./investigator.ts";

export type { KubernetesConfig } from "./config.ts";

/** Kubernetes clusters: acts on what runs there, and sees whether it is well. */
export const kubernetes = {
  id: "kubernetes",
  config: kubernetesConfig,
  /** Reads the files that the configuration names; throws `invalid` with all that is wrong with them. */
  check: (config: KubernetesConfig) => void createClusters(config),
  /** What reads facts of the clusters; none where none is configured. */
  investigators: (config: KubernetesConfig) =>
    clustersOf(config).length === 0 ? [] : [createInvestigator(createClusters(config), config)],
};
