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

/** The results of preparing a plan, before anyone may sign it. */
export type Prepared = {
  checks: readonly Check[];
  /** What would change, for people to read. */
  diff?: string | null;
  affected_pods?: number;
  /** Owners of the targets and what else is affected with them, as the systems report them. */
  belongs_to?: readonly string[];
  /** `belongs_to` of each step, in order. */
  owners?: readonly (readonly string[])[];
  /** The operations of all steps, with their open parameters filled in. */
  operations?: readonly Operation[];
  /** Hash of the plan that was prepared. */
  plan_hash?: string;
  /** Hash of each step's configuration in the final plan: it becomes part of what is signed. */
  configured?: readonly (string | null)[];
};

/** The failed check shown for a plan whose dry-run did not finish in time. */
export const EVIDENCE_LATE: Check = {
  name: "dry-run",
  passed: false,
  message: "it did not finish in time",
};

/** Returns the results of preparing, or only the check `LATE` when they are about a plan that has been replaced. */
export function preparedFor(approval: ApprovalRow, { plan_hash, ...found }: Prepared): Prepared {
  return plan_hash === undefined || plan_hash === approval.plan_hash ? found : { checks: [EVIDENCE_LATE] };
}

/** Returns the fields of an approval whose plan becomes final: open parameters filled in, and the results of preparing. */
export function fixedPlan(approval: ApprovalRow, prepared: Prepared, allowed: Partial<Plan> = {}) {
  const {
    checks,
    diff = null,
    affected_pods = 0,
    belongs_to = [],
    operations = [],
  } = preparedFor(approval, prepared);
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

/** Returns false when the incident is no longer active, after superseding the approval, which no person has seen yet. */
export async function supersedeUnlessActive(tx: Ctx, approval: ApprovalRow): Promise<boolean> {
  const { approval_id, incident_id, decision_token } = approval;
  const incident = await lockIncident(tx, incident_id);
  if (incident !== undefined && isActive(incident)) return true;
  await updateApproval(tx, approval_id, { status: "superseded", decided_at: tx.clock.now() });
  await readyDecision(tx, decision_token);
  const data = { incident_id, reason: "the incident is no longer active" };
  record(tx, { action: "approval.superseded", subject: approval_id, data });
  return false;
}

/**
 * Puts a prepared plan, with its evidence, before people: from now on it cannot change. Does nothing unless the approval
 * is still `preparing`.
 */
export async function publishApproval(
  ctx: Ctx,
  input: { approval_id: string } & Prepared,
  terms: ApprovalTerms,
): Promise<void> {
  authorise(ctx.actor, "present approvals", { people: "none", system: ["pipeline", "sweep"] });
  const { approval_id } = input;
  await transaction(ctx, async (tx) => {
    const approval = await lockApproval(tx, approval_id);
    if (approval?.status !== "preparing") return;
    const { incident_id, decision_token } = approval;
    if (!(await supersedeUnlessActive(tx, approval))) return;
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
      text: `Waiting for ${people}: ${action}${failed.length > 0 ? ` (failed checks: ${failed.join(", ")})` : ""}`,
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

/** Supersedes the approval of a plan that cannot be carried out, and notifies people: the incident needs a person. */
export async function withdrawApproval(
  ctx: Ctx,
  input: { approval_id: string; reason: string },
): Promise<void> {
  authorise(ctx.actor, "withdraw approvals", { people: "none", system: ["pipeline", "sweep"] });
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
