import type { Risk } from "../contract/common.ts";
import { candidatesText, type Finding, type TargetCandidate } from "../contract/evidence.ts";
import type { Ctx } from "../db/ctx.ts";
import type { IncidentRow } from "../incident/index.ts";
import { canonicalJson } from "../lib/canonical-json.ts";
import type { Operation } from "../operation/index.ts";
import { hashOf, type Match, type MatchTerms, matchPlaybook, riskOf } from "../playbook/index.ts";
import { propose, type Rules } from "./rules.ts";
import type { DecisionRow } from "./types.ts";

/** What should be done about an incident, and where that comes from. */
export type Answer = Pick<DecisionRow, "source" | "rule_id"> & {
  operation: Operation;
  /** Operations after the first, in order. */
  further?: Operation[];
  playbook_id?: string;
  playbook_hash?: string;
  risk_level: Risk;
  description: string;
  /** Why this answer and no other, in words. */
  because: string;
  /** The rule or playbook that gave the answer, for the timeline. */
  by: string;
};

export type AnswerOptions = {
  rules: Rules;
  playbook: MatchTerms;
  /** Returns whether a configured executor can carry this operation out. */
  executable: (operation: Operation) => boolean;
};

export type DecisionInput = {
  incident: IncidentRow;
  alert_names: readonly string[];
  findings?: readonly Finding[];
  /** The objects that the target may be, where that is not certain. */
  candidates?: readonly TargetCandidate[] | undefined;
};

function byPlaybook({ playbook, similarity, operations }: Match): Answer {
  const [operation, ...further] = operations;
  const { name, playbook_id, description, steps, runs, successes } = playbook;
  const proven = runs === 0 ? "it has never run" : `it succeeded in ${successes} of ${runs} runs`;
  return {
    source: "playbook",
    rule_id: null,
    operation,
    ...(further.length === 0 ? {} : { further }),
    playbook_id,
    playbook_hash: hashOf(playbook),
    risk_level: riskOf(steps),
    description: description || `The steps of the playbook ${name}.`,
    because: `the playbook ${name} matches (similarity ${similarity.toFixed(2)}), and ${proven}`,
    by: `playbook ${name}`,
  };
}

/** Returns an `investigate` answer for an ambiguous target: no rule or playbook acts on one of several candidates. */
function undecided(incident: IncidentRow, open: string): Answer {
  return {
    source: "expert_system",
    rule_id: null,
    operation: { kind: "investigate", target: incident.operation_target, parameters: {} },
    risk_level: "medium",
    description:
      "The alert has several possible targets, so nothing is changed: a person should investigate.",
    because: `the alert's target is ambiguous. ${open}`,
    by: "no rule: its target is ambiguous",
  };
}

/**
 * Returns what to do about an incident: a matching playbook, else the first rule that fits; nothing where the evidence
 * shows that the target is well, and `investigate` where the target is ambiguous.
 */
export async function answer(ctx: Ctx, about: DecisionInput, options: AnswerOptions): Promise<Answer> {
  const { incident, alert_names, findings = [] } = about;
  const open = candidatesText(about.candidates);
  if (open !== undefined) return undecided(incident, open);
  const { affected_services, severity, operation_target: target } = incident;
  // Without a label for the service, the target's name counts as the service.
  const services = affected_services.length > 0 || target === null ? affected_services : [target.name];
  const symptoms = { alert_names, services, severity, target };
  const found = await matchPlaybook(ctx, symptoms, options.playbook);
  const proposal = propose(options.rules, { alert_names, target, findings });
  // A target that the evidence shows to be well is left alone, even if a playbook matches.
  const well = findings.length > 0 && proposal.operation.kind === "none";
  if (!well && found?.operations.every(options.executable)) return byPlaybook(found);
  const { rule_id, because, reasoning, ...rest } = proposal;
  const by = `rule ${rule_id}`;
  return { source: "expert_system", rule_id, ...rest, description: reasoning, because, by };
}

type ComparedAnswer = {
  rule_id: string | null;
  operation: Operation;
  further?: readonly Operation[] | undefined;
  playbook_id?: string | null | undefined;
};

const comparisonKey = ({ rule_id, operation, further = [], playbook_id = null }: ComparedAnswer) =>
  canonicalJson({ rule_id, operation, further, playbook_id });
const comparedAnswerOf = ({ rule_id, proposal }: DecisionRow): ComparedAnswer => ({ ...proposal, rule_id });

/** Returns whether an answer has the same rule, operations and playbook as another answer or a stored decision. */
export function isSameAnswer(one: Answer, other: Answer | DecisionRow): boolean {
  return comparisonKey(one) === comparisonKey("proposal" in other ? comparedAnswerOf(other) : other);
}

/** Returns whether an answer has the same target as a decision. */
export function hasSameTarget({ operation }: Answer, { proposal }: DecisionRow): boolean {
  return canonicalJson(operation.target) === canonicalJson(proposal.operation.target);
}
