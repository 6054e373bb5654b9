import { detectMissingHeartbeats, understoodUntil } from "../../intake/index.ts";
import type { Journey } from "../types.ts";

/** Raises what is silent for too long, and ends what is heard again. What we could not hear is not silence. */
export async function silentSenders(journey: Journey): Promise<void> {
  const ctx = journey.as("sweep");
  const since = journey.intake_uptime.since(ctx.clock.now(), await understoodUntil(ctx));
  await detectMissingHeartbeats(ctx, journey.heartbeats, since);
}
