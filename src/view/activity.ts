import type { ApprovalKey } from "../approval/index.ts";
import type { Decision } from "../contract/decision.ts";
import type { ExecutionStatus } from "../contract/execution.ts";
import type { IncidentActivity } from "../contract/incident.ts";
import type { DecisionRow } from "../decision/index.ts";
import { type IncidentRow, isActive } from "../incident/index.ts";

type Plan = Pick<ApprovalKey, "approval_id" | "status" | "begun_at">;

/** Returns the activity that follows from a plan; null: it is over. */
function ofPlan({ status, begun_at }: Plan, execution: ExecutionStatus | undefined): IncidentActivity | null {
  if (status === "preparing") return "preparing";
  if (status === "pending") return "waiting_for_signature";
  if (status !== "approved") return null;
  if (begun_at === null || execution === "pending") return "about_to_act";
  if (execution === "running") return "acting";
  return execution === "verifying" ? "verifying" : null;
}

type Standing = Pick<IncidentRow, "status" | "merged_into" | "notification_type" | "flapping"> & {
  /** All its alerts are silenced or inhibited. */
  silenced: boolean;
};

/**
 * Returns an incident's current activity: from its plans, newest first, else from its decision in the state that people
 * see. Null for an incident that is over, unless an undo is under way. `executions`: statuses of live executions, by
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
  // Nothing is to be done or it has been done; flapping and silenced incidents are kept from people on purpose.
  const rests = decision.policy.outcome === "none" || decision.state === "completed";
  return rests || incident.flapping || incident.silenced ? "under_watch" : "needs_a_person";
}
