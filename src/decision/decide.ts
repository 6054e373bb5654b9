import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import { type Risk, risk } from "../contract/common.ts";
import type { Ctx } from "../db/ctx.ts";
import { type IncidentRow, note } from "../incident/index.ts";
import { addSeconds } from "../lib/clock.ts";
import { decisionToken } from "../lib/id.ts";
import { inWords } from "../operation/index.ts";
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

/**
 * Decides what should be done about an incident, inside the transaction that opened or changed it.
 * The answer is the rules' own and is there at once. Where people are to be asked it stays `analyzing`
 * until its evidence is gathered; else it is `ready`.
 */
export async function decide(
  ctx: Ctx,
  about: { incident: IncidentRow; alert_names: readonly string[] },
  options: DecideOptions,
): Promise<DecisionRow> {
  authorise(ctx.actor, "decide", { people: "nobody", system: ["intake", "sweep"] });
  const { incident_id, operation_target, notification_type, alert_category: category } = about.incident;
  const now = ctx.clock.now();
  const proposal = propose(options.rules, { alert_names: about.alert_names, target: operation_target });
  const { operation, reasoning, rule_id, because } = proposal;
  const risk_level = higher(proposal.risk_level, options.leastRisk?.(operation));
  const executable = options.executable(operation);
  const policy = judge({ mode: options.mode, notification_type, category, operation, executable });
  const action = inWords(operation);
  const asks = policy.outcome === "ask";
  const decision: DecisionRow = {
    token: decisionToken(ctx.random),
    incident_id,
    state: asks ? "analyzing" : "ready",
    source: "expert_system",
    rule_id,
    summary: `${action}: ${because}`,
    // A rule says what it is; only a model reports a confidence.
    confidence: 0,
    proposal: { action, operation, description: reasoning, risk_level, reasoning: because },
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
    text: `${action} (rule ${rule_id}, ${risk_level} risk)`,
    data: { token, reasoning, because, policy },
  });
  record(ctx, {
    action: "decision.made",
    subject: token,
    data: { incident_id, source: decision.source, operation, rule_id, policy },
  });
  return decision;
}
