import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import { type Risk, risk } from "../contract/common.ts";
import type { Ctx } from "../db/ctx.ts";
import { effectsOf, type IncidentRow, note } from "../incident/index.ts";
import { saidOfIncidents } from "../intake/index.ts";
import { addSeconds } from "../lib/clock.ts";
import { decisionToken } from "../lib/id.ts";
import { type Operation, redactedOperation, stepsInWords, traitsOf } from "../operation/index.ts";
import {
  type Answer,
  type AnswerOptions,
  answer,
  type DecisionInput,
  hasSameTarget,
  isSameAnswer,
} from "./answer.ts";
import { evaluatePolicy, type Mode, needsApproval } from "./policy.ts";
import { forbiddenBy, recordForbidden, withBlocked } from "./repair-label.ts";
import { insertDecision, supersedeDecisions } from "./store.ts";
import type { DecisionRow } from "./types.ts";

export type DecideOptions = AnswerOptions & {
  mode: Mode;
  /** Seconds for which the decision token is valid. */
  valid_for: number;
  /** Returns the minimum risk of an operation, whatever a rule or a playbook says. */
  leastRisk?: (operation: Operation) => Risk | undefined;
};

/** Returns the values of the label `auto_repair` of the firing alerts of an incident and of its effects. */
async function repairLabels(ctx: Ctx, incident_id: string): Promise<string[]> {
  const effects = await effectsOf(ctx, [incident_id]);
  const said = await saidOfIncidents(ctx, [incident_id, ...effects.map((one) => one.incident_id)]);
  return said.filter((one) => one.firing).flatMap((one) => one.auto_repair);
}

const RISKS = risk.options;
const higher = (one: Risk, other: Risk = "low") => (RISKS.indexOf(other) > RISKS.indexOf(one) ? other : one);

/** Judges the answer by policy and stores the decision, which supersedes the incident's earlier ones. */
async function storeDecision(
  ctx: Ctx,
  incident: IncidentRow,
  basis: Answer,
  options: DecideOptions,
): Promise<DecisionRow> {
  const { incident_id, notification_type, alert_category: category } = incident;
  const {
    source,
    rule_id,
    operation,
    further = [],
    playbook_id,
    playbook_hash,
    description,
    because,
    by,
  } = basis;
  const now = ctx.clock.now();
  const steps = [operation, ...further];
  const risk_level = steps.reduce(
    (so_far, one) => higher(so_far, options.leastRisk?.(one)),
    basis.risk_level,
  );
  const executable = steps.every(options.executable);
  const { mode } = options;
  const playbook = playbook_id !== undefined;
  const verdict = evaluatePolicy({ mode, notification_type, category, operation, executable, playbook });
  // Only alerts that are already stored: for new ones `recordRepairLabels` does this when they are stored.
  const labels = verdict.outcome === "auto" ? [] : await repairLabels(ctx, incident_id);
  const forbidden = forbiddenBy(labels);
  const policy = withBlocked(verdict, forbidden);
  const action = stepsInWords(steps);
  const asks = needsApproval(policy);
  const decision: DecisionRow = {
    token: decisionToken(ctx.random),
    incident_id,
    state: asks ? "analyzing" : "ready",
    source,
    rule_id,
    summary: `${action}: ${because}`,
    // Rules and playbooks report no confidence.
    confidence: 0,
    proposal: {
      action,
      operation,
      ...(further.length === 0 ? {} : { further }),
      ...(playbook_id === undefined ? {} : { playbook_id }),
      ...(playbook_hash === undefined ? {} : { playbook_hash }),
      description,
      risk_level,
      reasoning: because,
    },
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
    data: { incident_id, source, operations: steps.map(redactedOperation), playbook_id, rule_id, policy },
  });
  recordForbidden(ctx, decision, forbidden);
  return decision;
}

/**
 * Decides what should be done about an incident, in the transaction that opened or changed it. The answer comes from a
 * playbook or the rules, without waiting. A decision that leads to a plan stays `analyzing` until its evidence is
 * gathered; any other is `ready` at once.
 */
export async function decide(ctx: Ctx, about: DecisionInput, options: DecideOptions): Promise<DecisionRow> {
  authorise(ctx.actor, "decide", { people: "none", system: ["intake", "sweep"] });
  return storeDecision(ctx, about.incident, await answer(ctx, about, options), options);
}

/**
 * Replaces the decision `present` now that evidence was gathered; null where the evidence changes nothing, also where
 * only the rules have changed since. Runs in the transaction that stores the evidence.
 */
export async function decideAgain(
  ctx: Ctx,
  about: DecisionInput,
  present: DecisionRow,
  options: DecideOptions,
): Promise<DecisionRow | null> {
  authorise(ctx.actor, "decide again", { people: "none", system: ["pipeline"] });
  const basis = await answer(ctx, about, options);
  if (isSameAnswer(basis, present)) return null;
  const { findings: _, candidates: __, ...unread } = about;
  const same = hasSameTarget(basis, present) && isSameAnswer(basis, await answer(ctx, unread, options));
  return same ? null : storeDecision(ctx, about.incident, basis, options);
}

/** Decides to undo the execution `undoes` at a person's request; `operation` undoes it. */
export async function decideUndo(
  ctx: Ctx,
  about: { incident: IncidentRow; operation: Operation; undoes: string; leaves: string | null },
  options: DecideOptions,
): Promise<DecisionRow> {
  authorise(ctx.actor, "decide to undo", { people: "responder" });
  const { incident, operation, undoes, leaves } = about;
  const because = `it undoes ${undoes}`;
  return storeDecision(
    ctx,
    incident,
    {
      source: "undo",
      rule_id: null,
      operation,
      risk_level: traitsOf(operation).risk,
      description: leaves === null ? "Restores the previous state." : `Not undone: ${leaves}.`,
      because,
      by: `undo of ${undoes}`,
    },
    options,
  );
}
