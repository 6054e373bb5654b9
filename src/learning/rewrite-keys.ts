import { authorise } from "../access/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { writeLearntKeys } from "./store.ts";

/** Moves the repair records of these incidents to the incidents' current anomaly keys. */
export async function rewriteLearntKeys(
  ctx: Ctx,
  incidents: readonly { incident_id: string; anomaly_key: string }[],
): Promise<void> {
  authorise(ctx.actor, "rewrite keys", { people: "none", system: ["bootstrap"] });
  await writeLearntKeys(ctx, incidents);
}
