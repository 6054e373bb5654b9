import { authorise } from "../../access/index.ts";
import { record } from "../../audit/index.ts";
import type { DeadLetter } from "../../contract/dead-letter.ts";
import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { AwoooiError } from "../../lib/error.ts";
import { presentDeadLetter, requireDeadLetter, seqOf } from "./read.ts";
import { reviveReceipt } from "./store.ts";

/**
 * Puts a dead letter back among the receipts that wait to be processed; its state shows the result. Alerts in it that were
 * counted already are not counted again. Throws `conflict` when it is being replayed or has been processed.
 */
export async function replay(ctx: Ctx, input: { dead_letter_id: string }): Promise<DeadLetter> {
  authorise(ctx.actor, "replay dead letters", { people: "responder" });
  const { dead_letter_id } = input;
  return transaction(ctx, async (tx) => {
    const revived = await reviveReceipt(tx, seqOf(dead_letter_id));
    if (revived === undefined) {
      const { state } = await requireDeadLetter(tx, dead_letter_id);
      const why = state === "received" ? "is already being replayed" : "was already replayed and parsed";
      throw new AwoooiError("conflict", `Dead letter ${dead_letter_id} ${why}.`);
    }
    const { source, error, replays } = revived;
    record(tx, {
      action: "dead_letter.replayed",
      subject: dead_letter_id,
      data: { source, error, replays },
    });
    return presentDeadLetter(revived);
  });
}
