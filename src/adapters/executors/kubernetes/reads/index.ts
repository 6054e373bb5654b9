import type { Operation } from "../../../../operation/index.ts";
import type { Cluster } from "../client.ts";
import type { KubernetesConfig } from "../config.ts";
import type { Handler } from "../handlers.ts";

export type Reading = Extract<Operation, { kind: `kubernetes.${"get" | "describe" | "logs" | "top"}` }>;

export function readingHandler(_cluster: Cluster, _config: KubernetesConfig, { kind }: Reading): Handler {
  throw new Error(`${kind} is not there yet`);
}
