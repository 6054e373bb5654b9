import { requestApproval } from "../../approval/index.ts";
import type { Severity } from "../../contract/common.ts";
import type { Ctx } from "../../db/ctx.ts";
import { decide, needsApproval, propose } from "../../decision/index.ts";
import type { IncidentRow } from "../../incident/index.ts";
import { operationTarget } from "../../incident/index.ts";
import { affectedServices, type StoredAlert } from "../../intake/index.ts";
import { enqueue } from "../../outbox/index.ts";
import type { PipelineDeps } from "../types.ts";
import { canInvestigate } from "./reassess.ts";

const SEVERITY_OF_RISK = { critical: "P0", high: "P1", medium: "P2", low: "P3" } as const;

/** Returns the severity for an alert that carries none: it follows from the risk of the plan that would be proposed. */
export function severityWithout(deps: PipelineDeps, alert: StoredAlert): Severity {
  // Informational alerts are recorded without asking any rule.
  if (alert.notification_type === "TYPE-1") return "P3";
  const target = operationTarget(alert, affectedServices(alert), deps.known);
  const { risk_level } = propose(deps.decide.rules, { alert_names: [alert.alert_name], target });
  return SEVERITY_OF_RISK[risk_level];
}

/**
 * Decides about an incident and, where policy asks for approval, requests it in the open transaction. Returns true when
 * approval is requested, which sends its own notice; otherwise the caller may send one. Makes no decision about
 * information.
 */
export async function askForApproval(
  ctx: Ctx,
  deps: PipelineDeps,
  incident: IncidentRow,
  alert_names: readonly string[],
): Promise<boolean> {
  if (incident.notification_type === "TYPE-1") return false;
  const decision = await decide(ctx, { incident, alert_names }, deps.decide);
  if (!needsApproval(decision.policy)) {
    const { incident_id } = incident;
    if (canInvestigate(deps, incident))
      enqueue(ctx, { kind: "investigate", incident_id, token: decision.token });
    return false;
  }
  await requestApproval(ctx, { incident, decision }, deps.approval);
  return true;
}
