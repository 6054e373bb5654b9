import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import type { Disposition } from "../contract/incident.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { getIncident, type ResolvedThrough } from "../incident/index.ts";
import type { Work } from "../outbox/index.ts";
import { concludeResolutionRow } from "./store.ts";

/** How an anomaly ended: people approved only what a repair of ours, and verified, has brought about. */
export function dispositionOf(through: ResolvedThrough): Disposition {
  return through === "repair" ? "human_approved" : "manual_resolved";
}

/** Keeps how a resolution of an incident came about, once, whatever has become of the incident since. */
export async function recordResolution(
  ctx: Ctx,
  resolved: Extract<Work, { kind: "conclude" }>,
): Promise<void> {
  authorise(ctx.actor, "record resolutions", { people: "nobody", system: ["pipeline", "sweep"] });
  const { incident_id, resolution, through, execution_id, resolved_by } = resolved;
  const disposition = dispositionOf(resolved.through);
  await transaction(ctx, async (tx) => {
    const { fingerprint: anomaly_key } = await getIncident(tx, incident_id);
    const resolved_at = new Date(resolved.resolved_at);
    const how = { through, disposition, execution_id, resolved_by, resolved_at };
    if (!(await concludeResolutionRow(tx, { incident_id, resolution, anomaly_key, ...how }))) return;
    record(tx, { action: "learning.disposition", subject: incident_id, data: { resolution, disposition } });
  });
}
