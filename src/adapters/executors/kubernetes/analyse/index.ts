import { byWeight, type EvidenceItem, type Finding } from "../../../../contract/evidence.ts";
import { admission } from "./admission.ts";
import { autoscalers, budgets, certificates } from "./capacity.ts";
import { CODES, EXPLAINED_BY, type FindingCode } from "./codes.ts";
import { crashLoops, initContainers, memory, restartedLately } from "./crashes.ts";
import type { Analyser, Draft, Fact, Facts } from "./facts.ts";
import { health, replicas } from "./health.ts";
import { images } from "./images.ts";
import { cronJobs, jobs } from "./jobs.ts";
import { nodes } from "./nodes.ts";
import { evictions, terminating } from "./pod-ends.ts";
import { probes } from "./probes.ts";
import { badRollout, rollout, rolloutAge } from "./rollout.ts";
import { scheduling } from "./scheduling.ts";
import { services } from "./services.ts";
import { oneLine, visible } from "./text.ts";
import { claims, claimUse, configuration, mounts } from "./volumes.ts";

export { CODES, type FindingCode } from "./codes.ts";
export { wantsLog } from "./crashes.ts";
export type {
  Autoscaler,
  Budget,
  Certificate,
  Condition,
  LogTail,
  Revision,
  ServiceFacts,
  Workload,
} from "./facts.ts";
export { type Facts, noFacts } from "./facts.ts";

const ANALYSERS: readonly Analyser[] = [
  images,
  configuration,
  memory,
  admission,
  claims,
  mounts,
  scheduling,
  nodes,
  evictions,
  terminating,
  initContainers,
  probes,
  crashLoops,
  restartedLately,
  services,
  jobs,
  cronJobs,
  certificates,
  rollout,
  replicas,
  autoscalers,
  budgets,
  rolloutAge,
];

// For a node, only analysers of the node itself: problems of its pods are not its own.
const OF_NODES: readonly Analyser[] = [nodes, evictions, terminating];

// The same for a volume claim: problems of the pods that mount it are not its own.
const OF_CLAIMS: readonly Analyser[] = [claims, mounts, claimUse];
const ANALYSERS_OF: Record<string, readonly Analyser[]> = {
  node: OF_NODES,
  persistentvolumeclaim: OF_CLAIMS,
};
const analysersOf = (kind: string) =>
  (Object.hasOwn(ANALYSERS_OF, kind) ? ANALYSERS_OF[kind] : undefined) ?? ANALYSERS;

const ORDER = Object.keys(CODES) as FindingCode[];

function weightOf(code: FindingCode, drafts: readonly Draft[]): Finding["weight"] {
  const explained = drafts.some((other) => EXPLAINED_BY[code]?.includes(other.code));
  return CODES[code] === "cause" && explained ? "symptom" : CODES[code];
}

/** Returns the evidence list and `cite`, which numbers facts in the order of citation, equal facts once. */
function notebook(now: Date) {
  const evidence: EvidenceItem[] = [];
  const ids = new Map<string, string>();
  const cite = ({ subject, text, at }: Fact): string => {
    const key = `${subject}\n${text}`;
    const id = ids.get(key) ?? `E${evidence.length + 1}`;
    if (!ids.has(key)) {
      ids.set(key, id);
      const when = at === undefined || Number.isNaN(new Date(at).getTime()) ? now : new Date(at);
      const shown = { subject: oneLine(subject), text: visible(text) };
      evidence.push({ id, source: "kubernetes", at: when.toISOString(), ...shown });
    }
    return id;
  };
  return { evidence, cite };
}

/** Returns the findings from the facts, causes first, each with its evidence. Pure. */
export function analyse(facts: Facts): { evidence: EvidenceItem[]; findings: Finding[] } {
  const found = analysersOf(facts.target.kind).flatMap((analyser) => analyser(facts));
  const bad = badRollout(facts, found);
  // A bad rollout says everything that the finding `recent_rollout` would.
  const rest = bad.length === 0 ? found : found.filter(({ code }) => code !== "recent_rollout");
  const drafts = [...bad, ...rest, ...health(facts, rest)];
  const { evidence, cite } = notebook(facts.now);
  const weighed = drafts
    .map((draft) => ({ draft, weight: weightOf(draft.code, drafts) }))
    .sort((a, b) => byWeight(a, b) || ORDER.indexOf(a.draft.code) - ORDER.indexOf(b.draft.code));
  const findings = weighed.map(({ draft: { code, title, meaning, facts: rests }, weight }) => ({
    code,
    weight,
    // Names come from the cluster, too: clean them before they reach a terminal.
    title: oneLine(title, 500),
    meaning: oneLine(meaning, 1_000),
    evidence: [...new Set(rests.map(cite))],
  }));
  return { evidence, findings };
}
