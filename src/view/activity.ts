import type { ApprovalKey } from "../approval/index.ts";
import type { Decision } from "../contract/decision.ts";
import type { ExecutionStatus } from "../contract/execution.ts";
import type { IncidentActivity } from "../contract/incident.ts";
import type { DecisionRow } from "../decision/index.ts";
import { type IncidentRow, isActive } from "../incident/index.ts";

type Plan = Pick<ApprovalKey, "approval_id" | "status" | "begun_at">;

/** What is going on by a plan; null: nothing is any more. */
function ofPlan({ status, begun_at }: Plan, execution: ExecutionStatus | undefined): IncidentActivity | null {
  if (status === "preparing") return "preparing";
  if (status === "pending") return "waiting_for_signature";
  if (status !== "approved") return null;
  if (begun_at === null || execution === "pending") return "about_to_act";
  if (execution === "running") return "acting";
  return execution === "verifying" ? "verifying" : null;
}

type Standing = Pick<IncidentRow, "status" | "merged_into" | "notification_type" | "flapping"> & {
  /** Something keeps all its alerts silent. */
  silenced: boolean;
};

/**
 * What is going on with an incident: by its plans, newest first, else by what was decided, with the state that people
 * see. One that is over is at nothing, unless what was done is being taken back. `executions`: where those under way stand, by
 * approval. Pure.
 */
export function activityOf(
  incident: Standing,
  decision: (Pick<DecisionRow, "policy"> & { state: Decision["state"] }) | undefined,
  plans: readonly Plan[],
  executions: ReadonlyMap<string, ExecutionStatus>,
): IncidentActivity | null {
  for (const plan of plans) {
    const activity = ofPlan(plan, executions.get(plan.approval_id));
    if (activity !== null) return activity;
  }
  if (!isActive(incident)) return null;
  if (incident.merged_into !== null) return "with_main";
  if (incident.notification_type === "TYPE-1") return "recorded";
  if (decision === undefined || decision.state === "analyzing") return "preparing";
  // Nothing is to be done, it has been done, or it is kept from people on purpose.
  const rests = decision.policy.outcome === "none" || decision.state === "completed";
  return rests || incident.flapping || incident.silenced ? "under_watch" : "needs_a_person";
}
