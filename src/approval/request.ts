import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import type { BlastRadius } from "../contract/approval.ts";
import type { Ctx } from "../db/ctx.ts";
import type { DecisionRow } from "../decision/index.ts";
import type { IncidentRow } from "../incident/index.ts";
import { addSeconds } from "../lib/clock.ts";
import { prefixedId } from "../lib/id.ts";
import { type Plan, planHash, redactedPlan, stepsOf, traitsOf } from "../operation/index.ts";
import { enqueue } from "../outbox/index.ts";
import { insertApproval, updateApproval } from "./store.ts";
import type { ApprovalRow, ApprovalTerms } from "./types.ts";

type PlanRequest = { incident: IncidentRow; decision: DecisionRow; undoes?: string };

const IMPACTS: readonly BlastRadius["data_impact"][] = ["NONE", "READ_ONLY", "WRITE", "DESTRUCTIVE"];

/** Returns the combined blast radius of all steps of a plan. */
function blastRadius(plan: Plan, { affected_services }: IncidentRow): BlastRadius {
  const traits = stepsOf(plan).map(traitsOf);
  const worst = Math.max(...traits.map((one) => IMPACTS.indexOf(one.data_impact)));
  return {
    affected_pods: 0,
    estimated_downtime: traits.reduce((sum, one) => sum + one.downtime, 0),
    related_services: affected_services,
    // Filled in when the plan has been prepared.
    belongs_to: [],
    data_impact: IMPACTS[worst] ?? "NONE",
  };
}

/** Returns the plan of a decision with its hash, and what else the approval stores of the decision. */
function contentOf(approval_id: string, { incident, decision, undoes }: PlanRequest, terms: ApprovalTerms) {
  const { operation, further, playbook_id, playbook_hash, risk_level, action, description } =
    decision.proposal;
  const { incident_id } = incident;
  const plan: Plan = {
    version: 1,
    approval_id,
    incident_id,
    project: terms.project,
    operation,
    risk_level,
    required_signatures: terms.required_signatures[risk_level],
    ...(undoes === undefined ? {} : { undoes }),
    ...(further === undefined ? {} : { further }),
    ...(playbook_id === undefined ? {} : { playbook_id }),
    ...(playbook_hash === undefined ? {} : { playbook_hash }),
  };
  return {
    decision_token: decision.token,
    plan,
    plan_hash: planHash(plan),
    action,
    description: `${description} (${decision.proposal.reasoning})`,
    blast_radius: blastRadius(plan, incident),
  };
}

/**
 * Creates the approval for a decision, in the transaction that decided; `undoes` is the id of the execution that the
 * plan undoes. The approval is `preparing` until its evidence is gathered. Returns its id and the current hash of its
 * plan.
 */
export async function requestApproval(
  ctx: Ctx,
  about: PlanRequest,
  terms: ApprovalTerms,
): Promise<{ approval_id: string; plan_hash: string }> {
  authorise(ctx.actor, "request approvals", { people: "responder", system: ["intake", "sweep", "pipeline"] });
  const { incident_id } = about.incident;
  const approval_id = prefixedId("APR", ctx.random);
  const now = ctx.clock.now();
  const content = contentOf(approval_id, about, terms);
  const { plan, plan_hash } = content;
  await insertApproval(ctx, {
    ...content,
    approval_id,
    incident_id,
    status: "preparing",
    dry_run_checks: [],
    ...(ctx.actor.kind === "person"
      ? { requested_by: ctx.actor.name, requested_by_kind: "person" }
      : { requested_by: about.decision.source, requested_by_kind: "system" }),
    created_at: now,
    prepare_until: addSeconds(now, terms.prepare),
  });
  record(ctx, {
    action: "approval.requested",
    subject: approval_id,
    data: { incident_id, plan: redactedPlan(plan), plan_hash },
  });
  enqueue(ctx, { kind: "prepare", incident_id, approval_id });
  return { approval_id, plan_hash };
}

/** Replaces the plan of an approval with that of a later decision, while it is `preparing` and no person has seen it. */
export async function replanApproval(
  ctx: Ctx,
  input: { approval: ApprovalRow; incident: IncidentRow; decision: DecisionRow },
  terms: ApprovalTerms,
): Promise<void> {
  authorise(ctx.actor, "change plans", { people: "none", system: ["pipeline"] });
  const { approval, ...about } = input;
  const { approval_id, incident_id, status } = approval;
  if (status !== "preparing") throw new Error(`${approval_id} is ${status}: its plan is fixed`);
  if (approval.plan.undoes !== undefined)
    throw new Error(`${approval_id} is an undo that a person requested`);
  const content = contentOf(approval_id, about, terms);
  const { plan, plan_hash } = content;
  await updateApproval(ctx, approval_id, {
    ...content,
    requested_by: about.decision.source,
    requested_by_kind: "system",
  });
  record(ctx, {
    action: "approval.replanned",
    subject: approval_id,
    data: { incident_id, plan: redactedPlan(plan), plan_hash },
  });
}
