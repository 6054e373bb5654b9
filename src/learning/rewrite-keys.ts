import { authorise } from "../access/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { writeLearntKeys } from "./store.ts";

/** Has what was learnt from these incidents under the anomaly keys that they have now. */
export async function rewriteLearntKeys(
  ctx: Ctx,
  incidents: readonly { incident_id: string; anomaly_key: string }[],
): Promise<void> {
  authorise(ctx.actor, "rewrite keys", { people: "nobody", system: ["bootstrap"] });
  await writeLearntKeys(ctx, incidents);
}
