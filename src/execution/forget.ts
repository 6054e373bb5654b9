import { authorise } from "../access/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { deleteExecutionsOf } from "./store.ts";

/** Deletes what was done for these incidents, with the incidents themselves; returns how many rows of each. */
export async function forgetExecutions(
  ctx: Ctx,
  incident_ids: readonly string[],
): Promise<Record<string, number>> {
  authorise(ctx.actor, "delete old executions", { people: "nobody", system: ["retention"] });
  return deleteExecutionsOf(ctx, incident_ids);
}
