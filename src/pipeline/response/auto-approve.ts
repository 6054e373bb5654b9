import {
  type ApprovalRow,
  approveByPolicy,
  lockApproval,
  preparedFor,
  publishApproval,
} from "../../approval/index.ts";
import type { Check } from "../../contract/approval.ts";
import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { blockDecision, latestDecisions, mayAutoRepair } from "../../decision/index.ts";
import { automaticStop, configurationHash, isOffered, type PlanPreparation } from "../../execution/index.ts";
import { lockIncident } from "../../incident/index.ts";
import { stepsOf } from "../../operation/index.ts";
import type { PipelineDeps } from "../types.ts";

type Prepared = Partial<Omit<PlanPreparation, "impossible">> & { checks: Check[]; plan_hash?: string };

/** Returns whether a prepared plan may run without approval by a person; null where policy does not provide for that. */
async function verdictOn(tx: Ctx, deps: PipelineDeps, approval: ApprovalRow, given: Prepared) {
  const prepared = preparedFor(approval, given);
  const { incident_id, approval_id, plan, decision_token: token } = approval;
  const { playbook_id, playbook_hash, risk_level } = plan;
  const decision = (await latestDecisions(tx, [incident_id])).get(incident_id);
  if (decision?.token !== token || decision.policy.outcome !== "auto" || playbook_id === undefined)
    return null;
  const incident = await lockIncident(tx, incident_id);
  if (incident === undefined) return null;
  const operations = prepared.operations ?? stepsOf(plan);
  const gateway = deps.run.gateway();
  const failed = prepared.checks.filter((one) => !one.passed).map((one) => one.name);
  const { belongs_to = [], owners = [] } = prepared;
  const verdict = await mayAutoRepair(
    tx,
    {
      incident,
      approval_id,
      operations,
      risk_level,
      playbook_id,
      playbook_hash,
      belongs_to,
      stopped: await automaticStop(tx, gateway, operations, owners),
      failed_checks: prepared.checks.length === 0 ? null : failed,
      executable: operations.every((one) => isOffered(gateway, one)),
    },
    gateway.by_itself,
  );
  return { ...verdict, decision };
}

/** Approves a prepared plan by policy where nothing blocks that; otherwise presents it to approvers. */
export async function presentOrAutoApprove(
  deps: PipelineDeps,
  approval_id: string,
  prepared: Prepared,
  as: "pipeline" | "sweep" = "pipeline",
): Promise<void> {
  await transaction(deps.as(as), async (tx) => {
    const approval = await lockApproval(tx, approval_id);
    if (approval?.status !== "preparing") return;
    const verdict = await verdictOn(tx, deps, approval, prepared);
    const { operations = stepsOf(approval.plan) } = preparedFor(approval, prepared);
    const { executors } = deps.run.gateway();
    const configured = operations.map((one) => configurationHash(executors, one));
    const input = { approval_id, ...prepared, configured };
    if (verdict !== null && verdict.blocked_by.length === 0) {
      const { cold_start, decision } = verdict;
      const { reason } = decision.policy;
      await approveByPolicy(tx, { ...input, cold_start, reason }, deps.approval);
      return;
    }
    if (verdict !== null) await blockDecision(tx, verdict.decision, verdict.blocked_by);
    await publishApproval(tx, input, deps.approval);
  });
}
