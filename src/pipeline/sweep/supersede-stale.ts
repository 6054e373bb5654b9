import { supersedeApproval } from "../../approval/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { getIncident, isActive } from "../../incident/index.ts";

/** Takes back what is still asked about an incident that is over. Reopened meanwhile, it is for the new trouble. */
export async function supersedeStale(ctx: Ctx, incident_id: string): Promise<void> {
  await supersedeApproval(ctx, incident_id, "the incident is resolved", async (tx) =>
    isActive(await getIncident(tx, incident_id)),
  );
}
