import { authorise } from "../access/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { deleteApprovalsOf } from "./store.ts";

/** Deletes the approvals and signatures of incidents that are being deleted; returns how many rows of each. */
export async function forgetApprovals(
  ctx: Ctx,
  incident_ids: readonly string[],
): Promise<Record<string, number>> {
  authorise(ctx.actor, "delete old approvals", { people: "none", system: ["retention"] });
  return deleteApprovalsOf(ctx, incident_ids);
}
