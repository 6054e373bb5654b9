import { authorise } from "../access/index.ts";
import { findApproval } from "../approval/index.ts";
import { record } from "../audit/index.ts";
import type { Disposition } from "../contract/incident.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { findExecution } from "../execution/index.ts";
import { concludeResolution, getIncident, type ResolvedThrough } from "../incident/index.ts";
import type { Plan } from "../operation/index.ts";
import type { QueuedWork } from "../outbox/index.ts";

/** Returns how an anomaly ended: `manual_resolved` unless by a verified repair; else by who approved its plan. */
export function dispositionOf(
  through: ResolvedThrough,
  plan: Pick<Plan, "authority" | "cold_start"> = {},
): Disposition {
  if (through !== "repair") return "manual_resolved";
  if (plan.authority !== "policy") return "human_approved";
  return plan.cold_start === true ? "cold_start_trust" : "auto_repair";
}

/** Returns the plan that an execution carried out. */
async function planOf(ctx: Ctx, execution_id: string | null): Promise<Plan | undefined> {
  const execution = execution_id === null ? undefined : await findExecution(ctx, execution_id);
  return execution && (await findApproval(ctx, execution.approval_id))?.plan;
}

/** Stores how a resolution of an incident came about, once, even if the incident has changed since. */
export async function recordResolution(
  ctx: Ctx,
  resolved: Extract<QueuedWork, { kind: "conclude" }>,
): Promise<void> {
  authorise(ctx.actor, "record resolutions", { people: "none", system: ["pipeline", "sweep"] });
  const { incident_id, resolution, through, execution_id, resolved_by } = resolved;
  await transaction(ctx, async (tx) => {
    const disposition = dispositionOf(through, await planOf(tx, execution_id));
    const { anomaly_key } = await getIncident(tx, incident_id);
    const resolved_at = new Date(resolved.resolved_at);
    const how = { through, disposition, execution_id, resolved_by, resolved_at };
    if (!(await concludeResolution(tx, { incident_id, resolution, anomaly_key, ...how }))) return;
    record(tx, { action: "learning.disposition", subject: incident_id, data: { resolution, disposition } });
  });
}
