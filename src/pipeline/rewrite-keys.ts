import type { Ctx } from "../db/ctx.ts";
import { rewriteIncidentKeys } from "../incident/index.ts";
import { rewriteAlertKeys } from "../intake/index.ts";
import { rewriteLearntKeys } from "../learning/index.ts";

/**
 * Brings what was stored under keys of an earlier version up to the present one: before anything is received, or an
 * alert that fires would open an incident beside its own. Goes on where it was interrupted. Where nothing is old it
 * costs two looks.
 */
export async function rewriteKeys(ctx: Ctx): Promise<void> {
  const alerts = await rewriteAlertKeys(ctx);
  const incidents = await rewriteIncidentKeys(ctx, rewriteLearntKeys);
  if (alerts + incidents > 0)
    ctx.log.info({ alerts, incidents }, "keys were brought up to their present version");
}
