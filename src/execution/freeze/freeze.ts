import { authorise } from "../../access/index.ts";
import { record } from "../../audit/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { actorLabel } from "../../lib/actor.ts";
import { addSeconds } from "../../lib/clock.ts";
import { prefixedId } from "../../lib/id.ts";
import { notify } from "../../outbox/index.ts";
import { EVERY_TARGET, lockTarget } from "../store.ts";
import { insertFreeze } from "./store.ts";

/**
 * Stops all changes, for `duration` seconds or until a person lifts it. After it returns no further act begins; acts
 * that have begun go on. Freezes add up: a new one does not shorten an earlier one.
 */
export async function freeze(
  ctx: Ctx,
  input: { why: string; duration?: number | undefined },
): Promise<{ freeze_id: string }> {
  authorise(ctx.actor, "freeze changes", { people: "responder" });
  const { why, duration } = input;
  return transaction(ctx, async (tx) => {
    // Every beginning act holds this lock: acts about to begin are waited for, later ones see the freeze.
    await lockTarget(tx, EVERY_TARGET);
    const since = tx.clock.now();
    const until = duration === undefined ? null : addSeconds(since, duration);
    const row = {
      freeze_id: prefixedId("FRZ", tx.random),
      why,
      frozen_by: actorLabel(tx.actor),
      frozen_by_kind: tx.actor.kind,
      since,
      until,
    };
    await insertFreeze(tx, row);
    const { freeze_id, frozen_by } = row;
    const topic = "execution.frozen" as const;
    record(tx, { action: topic, subject: freeze_id, data: { why, until } });
    notify(tx, { topic, incident_id: null, payload: { by: frozen_by, why, until, labels: { topic } } });
    return { freeze_id };
  });
}
