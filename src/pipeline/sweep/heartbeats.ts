import { detectMissingHeartbeats, processedUntil } from "../../intake/index.ts";
import type { PipelineDeps } from "../types.ts";

/**
 * Raises alerts for heartbeats missing for too long, and ends those received again. Intake downtime does not count as
 * silence.
 */
export async function silentSenders(deps: PipelineDeps): Promise<void> {
  const ctx = deps.as("sweep");
  const since = deps.intake_uptime.since(ctx.clock.now(), await processedUntil(ctx));
  await detectMissingHeartbeats(ctx, deps.heartbeats, since);
}
