import type { Ctx } from "../db/ctx.ts";
import { rewriteIncidentKeys } from "../incident/index.ts";
import { rewriteAlertKeys } from "../intake/index.ts";
import { rewriteLearntKeys } from "../learning/index.ts";

/**
 * Rewrites stored keys of an earlier version to the current one. It runs before any receipt is accepted: otherwise a
 * firing alert would open a second incident beside its own. Resumes after an interruption. Costs two queries where nothing
 * is old.
 */
export async function rewriteKeys(ctx: Ctx): Promise<void> {
  const alerts = await rewriteAlertKeys(ctx);
  const incidents = await rewriteIncidentKeys(ctx, rewriteLearntKeys);
  if (alerts + incidents > 0)
    ctx.log.info({ alerts, incidents }, "stored keys were rewritten to the current version");
}
