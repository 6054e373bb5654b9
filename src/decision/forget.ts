import { authorise } from "../access/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { deleteDecisionsOf } from "./store.ts";

/** Deletes the decisions of incidents that are being deleted; returns how many. */
export async function forgetDecisions(ctx: Ctx, incident_ids: readonly string[]): Promise<number> {
  authorise(ctx.actor, "delete old decisions", { people: "none", system: ["retention"] });
  return deleteDecisionsOf(ctx, incident_ids);
}
