import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import type { Ctx } from "../db/ctx.ts";
import type { DecisionRow } from "../decision/index.ts";
import type { IncidentRow } from "../incident/index.ts";
import { addSeconds } from "../lib/clock.ts";
import { prefixedId } from "../lib/id.ts";
import { type Plan, planHash, traitsOf } from "../operation/index.ts";
import { enqueue } from "../outbox/index.ts";
import { insertApproval } from "./store.ts";
import type { ApprovalTerms } from "./types.ts";

/**
 * Asks for authority to carry a decision out, in the transaction that decided. The approval is
 * `preparing` until its evidence is gathered. Returns its id and the hash that people will sign.
 */
export async function requestApproval(
  ctx: Ctx,
  about: { incident: IncidentRow; decision: DecisionRow },
  terms: ApprovalTerms,
): Promise<{ approval_id: string; plan_hash: string }> {
  authorise(ctx.actor, "request approvals", { people: "nobody", system: ["intake", "sweep"] });
  const { incident, decision } = about;
  const { operation, risk_level, action, description } = decision.proposal;
  const { data_impact, downtime } = traitsOf(operation);
  const { incident_id } = incident;
  const approval_id = prefixedId("APR", ctx.random);
  const now = ctx.clock.now();
  const required_signatures = terms.required_signatures[risk_level];
  const { project } = terms;
  const plan: Plan = {
    version: 1,
    approval_id,
    incident_id,
    project,
    operation,
    risk_level,
    required_signatures,
  };
  const plan_hash = planHash(plan);
  await insertApproval(ctx, {
    approval_id,
    incident_id,
    decision_token: decision.token,
    status: "preparing",
    plan,
    plan_hash,
    action,
    description: `${description} (${decision.proposal.reasoning})`,
    blast_radius: {
      affected_pods: 0,
      estimated_downtime: downtime,
      related_services: incident.affected_services,
      data_impact,
    },
    dry_run_checks: [],
    requested_by: decision.source,
    created_at: now,
    prepare_until: addSeconds(now, terms.prepare),
  });
  record(ctx, { action: "approval.requested", subject: approval_id, data: { incident_id, plan, plan_hash } });
  enqueue(ctx, { kind: "prepare", incident_id, approval_id });
  return { approval_id, plan_hash };
}
