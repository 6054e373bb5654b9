import { authorise } from "../access/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { deleteExecutionsOf } from "./store.ts";

/** Deletes the executions and attempts of incidents that are being deleted; returns how many rows of each. */
export async function forgetExecutions(
  ctx: Ctx,
  incident_ids: readonly string[],
): Promise<Record<string, number>> {
  authorise(ctx.actor, "delete old executions", { people: "none", system: ["retention"] });
  return deleteExecutionsOf(ctx, incident_ids);
}
