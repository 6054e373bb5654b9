import { supersedeApproval } from "../../approval/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { getIncident, isActive } from "../../incident/index.ts";

/** Withdraws the open approval of an incident that is over, unless the incident has been reopened meanwhile. */
export async function supersedeStale(ctx: Ctx, incident_id: string): Promise<void> {
  await supersedeApproval(ctx, incident_id, "the incident is resolved", async (tx) =>
    isActive(await getIncident(tx, incident_id)),
  );
}
