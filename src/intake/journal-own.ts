import { authorise } from "../access/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { insertReceipts } from "./store.ts";

/**
 * Journals an alert of AWOOOI's own, in the open transaction, in the form that every installation understands:
 * Alertmanager's. The worker takes it up with its next look around.
 */
export async function journalOwn(
  ctx: Ctx,
  alert: { labels: Record<string, string>; annotations: Record<string, string> },
): Promise<void> {
  authorise(ctx.actor, "journal alerts of our own", { people: "nobody", system: ["intake", "sweep"] });
  const received_at = ctx.clock.now();
  const firing = { status: "firing", startsAt: received_at.toISOString(), ...alert };
  const body = Buffer.from(JSON.stringify({ version: "4", status: "firing", alerts: [firing] }));
  await insertReceipts(ctx, [{ source: "alertmanager", sender: "awoooi", body, received_at }]);
}
