import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import type { Check } from "../contract/approval.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { readyDecision } from "../decision/index.ts";
import { isActive, lockIncident, note } from "../incident/index.ts";
import { addSeconds } from "../lib/clock.ts";
import {
  type Operation,
  type Plan,
  planHash,
  redactedPlan,
  stepsInWords,
  stepsOf,
  withStep,
} from "../operation/index.ts";
import { notify } from "../outbox/index.ts";
import { lockApproval, updateApproval } from "./store.ts";
import type { ApprovalRow, ApprovalTerms } from "./types.ts";

/** What was found out about a plan before anyone may sign it. */
export type Prepared = {
  checks: readonly Check[];
  /** What would change, for people to read. */
  diff?: string | null;
  affected_pods?: number;
  /** Whose the targets are and what else goes with them, as the systems say. */
  belongs_to?: readonly string[];
  /** The same of each step by itself. */
  owners?: readonly (readonly string[])[];
  /** All that the plan does, with what it had left open filled in. */
  operations?: readonly Operation[];
  /** Of the plan that was looked at. */
  plan_hash?: string;
  /** What is configured of each step of the plan as it will be fixed: it is signed with it. */
  configured?: readonly (string | null)[];
};

/** What a card says of a plan that was not tried out in time. */
export const LATE: Check = {
  name: "dry-run",
  passed: false,
  message: "it did not finish in the time for a decision",
};

/** What was found out, unless it was about a plan that another has replaced since: of this one nothing is known. */
export function foundOf(approval: ApprovalRow, { plan_hash, ...found }: Prepared): Prepared {
  return plan_hash === undefined || plan_hash === approval.plan_hash ? found : { checks: [LATE] };
}

/** What a plan that is fixed from now on is kept with: what it had left open, and what was found out about it. */
export function fixedPlan(approval: ApprovalRow, prepared: Prepared, allowed: Partial<Plan> = {}) {
  const {
    checks,
    diff = null,
    affected_pods = 0,
    belongs_to = [],
    operations = [],
  } = foundOf(approval, prepared);
  const related_services = [...new Set([...approval.blast_radius.related_services, ...belongs_to])];
  const filled = operations.reduce((one, operation, at) => withStep(one, at + 1, operation), approval.plan);
  const { configured = [] } = prepared;
  const bound = configured.some((one) => one !== null) ? { configured: [...configured] } : {};
  const plan: Plan = { ...filled, ...bound, ...allowed };
  return {
    plan,
    plan_hash: planHash(plan),
    action: stepsInWords(stepsOf(plan)),
    dry_run_checks: [...checks],
    diff,
    blast_radius: { ...approval.blast_radius, affected_pods, related_services, belongs_to: [...belongs_to] },
  };
}

/** False when its incident is over: then the plan, which nobody has seen, is superseded. */
export async function stillWanted(tx: Ctx, approval: ApprovalRow): Promise<boolean> {
  const { approval_id, incident_id, decision_token } = approval;
  const incident = await lockIncident(tx, incident_id);
  if (incident !== undefined && isActive(incident)) return true;
  await updateApproval(tx, approval_id, { status: "superseded", decided_at: tx.clock.now() });
  await readyDecision(tx, decision_token);
  const data = { incident_id, reason: "the incident is over" };
  record(tx, { action: "approval.superseded", subject: approval_id, data });
  return false;
}

/**
 * Puts a prepared plan, with its evidence, before people: from now on it is fixed. Does nothing unless it is
 * still preparing.
 */
export async function presentApproval(
  ctx: Ctx,
  input: { approval_id: string } & Prepared,
  terms: ApprovalTerms,
): Promise<void> {
  authorise(ctx.actor, "present approvals", { people: "nobody", system: ["pipeline", "sweep"] });
  const { approval_id } = input;
  await transaction(ctx, async (tx) => {
    const approval = await lockApproval(tx, approval_id);
    if (approval?.status !== "preparing") return;
    const { incident_id, decision_token } = approval;
    if (!(await stillWanted(tx, approval))) return;
    const fixed = fixedPlan(approval, input);
    const { plan, plan_hash, action, dry_run_checks: checks } = fixed;
    const expires_at = addSeconds(tx.clock.now(), terms.expires_after);
    await updateApproval(tx, approval_id, { ...fixed, status: "pending", expires_at });
    await readyDecision(tx, decision_token);
    const { required_signatures, risk_level } = plan;
    const people = required_signatures === 1 ? "1 signature" : `${required_signatures} signatures`;
    const failed = checks.filter((check) => !check.passed).map((check) => check.name);
    note(tx, {
      incident_id,
      kind: "approval",
      text: `Waiting for ${people}: ${action}${failed.length > 0 ? ` (not passed: ${failed.join(", ")})` : ""}`,
      data: { approval_id, plan_hash, risk_level, required_signatures, checks },
    });
    record(tx, {
      action: "approval.presented",
      subject: approval_id,
      data: { incident_id, plan: redactedPlan(plan), plan_hash, failed },
    });
    notify(tx, { topic: "approval.pending", incident_id, payload: { approval_id } });
  });
}

/** Takes a plan back that cannot be carried out, and says so: the incident needs a person. */
export async function withdrawApproval(
  ctx: Ctx,
  input: { approval_id: string; reason: string },
): Promise<void> {
  authorise(ctx.actor, "withdraw approvals", { people: "nobody", system: ["pipeline", "sweep"] });
  const { approval_id, reason } = input;
  await transaction(ctx, async (tx) => {
    const approval = await lockApproval(tx, approval_id);
    if (approval?.status !== "preparing") return;
    const { incident_id, decision_token } = approval;
    await updateApproval(tx, approval_id, { status: "superseded", decided_at: tx.clock.now() });
    await readyDecision(tx, decision_token);
    note(tx, { incident_id, kind: "approval", text: `Not proposed: ${reason}`, data: { approval_id } });
    record(tx, { action: "approval.withdrawn", subject: approval_id, data: { incident_id, reason } });
    notify(tx, { topic: "approval.expired", incident_id, payload: { approval_id, reason } });
  });
}
