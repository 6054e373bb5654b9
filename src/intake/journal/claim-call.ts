import { authorise } from "../../access/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { runOnce } from "../../db/idempotency.ts";
import { sha256 } from "../../lib/canonical-json.ts";

/**
 * Records the body for which a sender used its `Idempotency-Key`, and returns when it was first used: a repeated call says
 * nothing newer. Throws `idempotency_key_reused` when it was used for another body: two alerts must not pass for one.
 */
export async function claimCall(
  ctx: Ctx,
  call: { source: string; sender: string; idempotency_key: string; body: Buffer },
): Promise<Date> {
  authorise(ctx.actor, "ingest alerts", { people: "none", system: ["intake"] });
  const { source, sender, idempotency_key: key, body } = call;
  const scope = `webhook:${source}:${sender}`;
  return (await runOnce(ctx, { scope, key, request: sha256(body) }, async () => null)).first_at;
}
