import type { Investigator } from "../../../decision/index.ts";
import { analyse } from "./analyse/index.ts";
import type { Clusters } from "./client.ts";
import { readFacts } from "./read-facts.ts";
import { isRootKind } from "./read-root.ts";

/** Which namespaces may be read; none allowed by name: all that are not denied. */
export type Namespaces = { allowed_namespaces: readonly string[]; denied_namespaces: readonly string[] };

const EVERYWHERE: Namespaces = { allowed_namespaces: [], denied_namespaces: [] };

/** Looks at what runs in clusters, and says what it means. Reads only; needs no model. */
export function createInvestigator(clusters: Clusters, namespaces: Namespaces = EVERYWHERE): Investigator {
  const { allowed_namespaces: allowed, denied_namespaces: denied } = namespaces;
  const mayRead = (namespace: string) =>
    !denied.includes(namespace) && (allowed.length === 0 || allowed.includes(namespace));
  return {
    id: "kubernetes",
    tool: "kubernetes_describe",
    investigates: ({ kind, cluster }) => isRootKind(kind) && clusters.of(cluster) !== undefined,
    async investigate(target, now, signal) {
      const at = now.toISOString();
      const cluster = clusters.of(target.cluster);
      const nothing = { at, target, evidence: [], findings: [] };
      if (cluster === undefined) return { ...nothing, missing: ["there is no such cluster"] };
      const namespace = target.namespace ?? "default";
      if (target.kind !== "node" && !mayRead(namespace))
        return {
          ...nothing,
          missing: [`the namespace ${namespace} may not be read (kubernetes.allowed_namespaces)`],
        };
      const { facts, target: exact, missing } = await readFacts(cluster, target, now, signal);
      const { evidence, findings } = facts === null ? { evidence: [], findings: [] } : analyse(facts);
      return { at, target: exact, evidence, findings, missing };
    },
  };
}
