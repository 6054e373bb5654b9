import { createClusters } from "./client.ts";
import { type KubernetesConfig, kubernetesConfig } from "./config.ts";

export type { KubernetesConfig } from "./config.ts";

/** Kubernetes clusters: acts on what runs there, and sees whether it is well. */
export const kubernetes = {
  id: "kubernetes",
  config: kubernetesConfig,
  /** Reads the files that the configuration names; throws `invalid` with all that is wrong with them. */
  check: (config: KubernetesConfig) => void createClusters(config),
};
