import type { EvidenceItem, Investigation } from "../../../../contract/evidence.ts";
import type { OperationTarget } from "../../../../contract/incident.ts";
import type { Investigator } from "../../../../investigation/index.ts";
import { analyse } from "../analyse/index.ts";
import type { Cluster, Clusters } from "../cluster/client.ts";
import { plain } from "../cluster/failure.ts";
import { HAS_THIS_NAME, isExact, isLocated, locate, mayRead, type Namespaces } from "../locate/index.ts";
import { readFacts } from "./read-facts.ts";
import { isRootKind } from "./read-root.ts";

export type { Namespaces } from "../locate/index.ts";

const EVERYWHERE: Namespaces = { allowed_namespaces: [], denied_namespaces: [] };

type PartialInvestigation = Omit<Investigation, "at">;

const wordsOf = ({ kind, name, namespace }: OperationTarget) =>
  plain(
    `${kind === "unknown" ? "workload" : kind} ${name}${namespace === undefined ? "" : ` in ${namespace}`}`,
    500,
  );

/** Reads the facts about the exact object and analyses them. */
async function investigateObject(
  cluster: Cluster,
  target: OperationTarget,
  now: Date,
  signal: AbortSignal,
): Promise<PartialInvestigation> {
  if (!isRootKind(target.kind)) return { target, evidence: [], findings: [], missing: [] };
  const { facts, target: exact, missing } = await readFacts(cluster, target, now, signal);
  const { evidence, findings } = facts === null ? { evidence: [], findings: [] } : analyse(facts);
  return { target: exact, evidence, findings, missing };
}

/** Returns an evidence item that says how the object was found, unless it was found by its name alone. */
function foundBy(
  asked: OperationTarget,
  found: OperationTarget,
  reason: string,
  at: string,
): Omit<EvidenceItem, "id">[] {
  if (reason === HAS_THIS_NAME) return [];
  const text = plain(`is meant by ${wordsOf(asked)}: ${reason}`, 500);
  const { kind, name, namespace } = found;
  const subject = `${kind}/${name}${namespace === undefined ? "" : ` in ${namespace}`}`;
  return [{ source: "kubernetes", at, subject, text }];
}

/** Returns the investigator: finds the object that a target means, reads it and analyses it. Read-only; needs no model. */
export function createInvestigator(clusters: Clusters, namespaces: Namespaces = EVERYWHERE): Investigator {
  const several = clusters.names.length > 1;
  const asked = ({ cluster }: OperationTarget): Cluster[] =>
    (cluster === undefined ? clusters.names : [cluster]).flatMap((name) => clusters.of(name) ?? []);

  const search = async (
    target: OperationTarget,
    now: Date,
    signal: AbortSignal,
  ): Promise<PartialInvestigation> => {
    const all = asked(target);
    const { choice, cluster, unread } = await locate(all, namespaces, target, { signal, several });
    const nothing = { target, evidence: [], findings: [], missing: unread };
    if (choice.result === "several") return { ...nothing, candidates: choice.candidates };
    // A host need not be a node of any cluster, so that not finding it is not reported as missing.
    if (choice.result === "none" && target.kind === "host") return { ...nothing, target: null };
    if (choice.result === "none") {
      const none = all.map((one) => `cluster ${one.name} has no ${wordsOf(target)}`);
      return { ...nothing, target: null, missing: none };
    }
    if (choice.result === "unclear" || cluster === undefined) return nothing;
    const { evidence, missing, ...rest } = await investigateObject(cluster, choice.target, now, signal);
    const more = foundBy(target, choice.target, choice.reason, now.toISOString());
    const numbered = more.map((item, index) => ({ ...item, id: `E${evidence.length + index + 1}` }));
    return { ...rest, evidence: [...evidence, ...numbered], missing: [...missing, ...unread] };
  };

  return {
    id: "kubernetes",
    tool: "kubernetes_describe",
    investigates: ({ kind, cluster }) => isLocated(kind) && clusters.of(cluster) !== undefined,
    async investigate(target, now, signal) {
      const at = now.toISOString();
      const [cluster, ...others] = asked(target);
      const nothing = { at, target, evidence: [], findings: [] };
      if (cluster === undefined) return { ...nothing, missing: ["there is no such cluster"] };
      const { namespace } = target;
      if (
        namespace !== undefined &&
        !["node", "host", "persistentvolume"].includes(target.kind) &&
        !mayRead(namespaces, namespace)
      )
        return {
          ...nothing,
          missing: [`the namespace ${namespace} may not be read (kubernetes.allowed_namespaces)`],
        };
      const exact = isExact(target) && others.length === 0;
      return {
        at,
        ...(await (exact ? investigateObject(cluster, target, now, signal) : search(target, now, signal))),
      };
    },
  };
}
