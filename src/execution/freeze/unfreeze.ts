import { authorise } from "../../access/index.ts";
import { record } from "../../audit/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { actorLabel } from "../../lib/actor.ts";
import { notify } from "../../outbox/index.ts";
import { liftFreezes } from "./store.ts";

/** Lifts every freeze in force that people set, and returns how many. Those of the configuration stay. */
export async function unfreeze(ctx: Ctx): Promise<number> {
  authorise(ctx.actor, "lift a freeze", { people: "approver" });
  return transaction(ctx, async (tx) => {
    const by = actorLabel(tx.actor);
    const lifted = await liftFreezes(tx, { lifted_by: by, lifted_by_kind: tx.actor.kind });
    const topic = "execution.unfrozen" as const;
    for (const { freeze_id, why, frozen_by } of lifted)
      record(tx, { action: topic, subject: freeze_id, data: { why, frozen_by } });
    const whys = lifted.map((one) => one.why).join("; ");
    if (lifted.length > 0)
      notify(tx, { topic, incident_id: null, payload: { by, why: whys, labels: { topic } } });
    return lifted.length;
  });
}
