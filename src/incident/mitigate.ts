import { authorise } from "../access/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { isActive } from "./converge.ts";
import { lockIncident, updateIncident } from "./store.ts";

/** Sets an active incident to `mitigating` while it is being acted on, or back to `investigating`. */
export async function setMitigating(ctx: Ctx, incident_id: string, mitigating: boolean): Promise<void> {
  authorise(ctx.actor, "change an incident's status", { people: "none", system: ["pipeline", "sweep"] });
  await transaction(ctx, async (tx) => {
    const incident = await lockIncident(tx, incident_id);
    if (incident === undefined || !isActive(incident)) return;
    await updateIncident(tx, incident_id, { status: mitigating ? "mitigating" : "investigating" });
  });
}
