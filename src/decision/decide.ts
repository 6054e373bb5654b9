import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import { type Risk, risk } from "../contract/common.ts";
import type { Finding } from "../contract/evidence.ts";
import type { Ctx } from "../db/ctx.ts";
import { type IncidentRow, note } from "../incident/index.ts";
import { addSeconds } from "../lib/clock.ts";
import { decisionToken } from "../lib/id.ts";
import { inWords, type Operation, traitsOf } from "../operation/index.ts";
import { judge, type Mode } from "./policy.ts";
import { propose, type Rules } from "./rules.ts";
import { insertDecision, supersedeDecisions } from "./store.ts";
import type { DecisionRow } from "./types.ts";

export type DecideOptions = {
  rules: Rules;
  mode: Mode;
  /** Seconds for which the token is valid. */
  valid_for: number;
  /** Whether something configured can carry this kind of operation out. */
  executable: (tool: DecisionRow["proposal"]["operation"]) => boolean;
  /** The risk that an operation has at least, whatever a rule says. */
  leastRisk?: (operation: DecisionRow["proposal"]["operation"]) => Risk | undefined;
};

const RISKS = risk.options;
const higher = (one: Risk, other: Risk = "low") => (RISKS.indexOf(other) > RISKS.indexOf(one) ? other : one);

/** What an answer stands on. */
type Basis = Pick<DecisionRow, "source" | "rule_id"> & {
  operation: Operation;
  risk_level: Risk;
  description: string;
  /** Why this and nothing else, in words. */
  because: string;
  /** How the answer was come by, for the timeline. */
  by: string;
};

/** Asks the policy and writes the decision down, in place of the ones before it. */
async function settle(
  ctx: Ctx,
  incident: IncidentRow,
  basis: Basis,
  options: DecideOptions,
): Promise<DecisionRow> {
  const { incident_id, notification_type, alert_category: category } = incident;
  const { source, rule_id, operation, description, because, by } = basis;
  const risk_level = higher(basis.risk_level, options.leastRisk?.(operation));
  const now = ctx.clock.now();
  const executable = options.executable(operation);
  const policy = judge({ mode: options.mode, notification_type, category, operation, executable });
  const action = inWords(operation);
  const asks = policy.outcome === "ask";
  const decision: DecisionRow = {
    token: decisionToken(ctx.random),
    incident_id,
    state: asks ? "analyzing" : "ready",
    source,
    rule_id,
    summary: `${action}: ${because}`,
    // A rule says what it is; only a model reports a confidence.
    confidence: 0,
    proposal: { action, operation, description, risk_level, reasoning: because },
    policy,
    created_at: now,
    ready_at: asks ? null : now,
    valid_until: addSeconds(now, options.valid_for),
  };
  await supersedeDecisions(ctx, incident_id);
  await insertDecision(ctx, decision);
  const { token } = decision;
  note(ctx, {
    incident_id,
    kind: "decision",
    text: `${action} (${by}, ${risk_level} risk)`,
    data: { token, reasoning: description, because, policy },
  });
  record(ctx, {
    action: "decision.made",
    subject: token,
    data: { incident_id, source, operation, rule_id, policy },
  });
  return decision;
}

/**
 * Decides what should be done about an incident, inside the transaction that opened or changed it.
 * The answer is the rules' own and is there at once. Where people are to be asked it stays `analyzing`
 * until its evidence is gathered; else it is `ready`.
 */
export async function decide(
  ctx: Ctx,
  about: { incident: IncidentRow; alert_names: readonly string[]; findings?: readonly Finding[] },
  options: DecideOptions,
): Promise<DecisionRow> {
  authorise(ctx.actor, "decide", { people: "nobody", system: ["intake", "sweep", "pipeline"] });
  const { incident, alert_names, findings = [] } = about;
  const { operation, risk_level, reasoning, rule_id, because } = propose(options.rules, {
    alert_names,
    target: incident.operation_target,
    findings,
  });
  const basis = { source: "expert_system", rule_id, operation, risk_level, description: reasoning, because };
  return settle(ctx, incident, { ...basis, by: `rule ${rule_id}` }, options);
}

/** Decides to take an execution back, because a person asks for it: `operation` does that. */
export async function decideUndo(
  ctx: Ctx,
  about: { incident: IncidentRow; operation: Operation; undoes: string; leaves: string | null },
  options: DecideOptions,
): Promise<DecisionRow> {
  authorise(ctx.actor, "decide to undo", { people: "responder" });
  const { incident, operation, undoes, leaves } = about;
  const because = `it takes ${undoes} back`;
  return settle(
    ctx,
    incident,
    {
      source: "undo",
      rule_id: null,
      operation,
      risk_level: traitsOf(operation).risk,
      description: leaves === null ? "Back to what was there before." : `What stays: ${leaves}.`,
      because,
      by: `undo of ${undoes}`,
    },
    options,
  );
}
