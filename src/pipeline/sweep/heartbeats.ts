import { detectMissingHeartbeats, understoodUntil } from "../../intake/index.ts";
import type { PipelineDeps } from "../types.ts";

/** Raises what is silent for too long, and ends what is heard again. What we could not hear is not silence. */
export async function silentSenders(deps: PipelineDeps): Promise<void> {
  const ctx = deps.as("sweep");
  const since = deps.intake_uptime.since(ctx.clock.now(), await understoodUntil(ctx));
  await detectMissingHeartbeats(ctx, deps.heartbeats, since);
}
