import { authorise } from "../access/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { deleteInvestigationsOf } from "./store.ts";

/** Deletes the investigations of incidents that are being deleted; returns how many. */
export async function forgetInvestigations(ctx: Ctx, incident_ids: readonly string[]): Promise<number> {
  authorise(ctx.actor, "delete old investigations", { people: "none", system: ["retention"] });
  return deleteInvestigationsOf(ctx, incident_ids);
}
