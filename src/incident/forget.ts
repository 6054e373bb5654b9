import { authorise } from "../access/index.ts";
import type { Ctx } from "../db/ctx.ts";
import type { Forget } from "../db/forget.ts";
import { transaction } from "../db/transaction.ts";
import { countForgettable, deleteIncidents, lockForgettable } from "./store.ts";

const admit = (ctx: Ctx) =>
  authorise(ctx.actor, "delete old incidents", { people: "none", system: ["retention"] });

/**
 * Deletes whole incidents that ended before `before`: in the same transaction, `dependants` deletes the records of later
 * stages. Returns the number of rows deleted per table.
 */
export async function forgetIncidents(
  ctx: Ctx,
  { before, limit }: Forget,
  dependants: (ctx: Ctx, incident_ids: readonly string[]) => Promise<Record<string, number>>,
): Promise<Record<string, number>> {
  admit(ctx);
  return transaction(ctx, async (tx) => {
    const ids = await lockForgettable(tx, before, limit);
    if (ids.length === 0) return {};
    return { ...(await dependants(tx, ids)), ...(await deleteIncidents(tx, ids)) };
  });
}

/** Returns how many incidents would be deleted. */
export async function countOldIncidents(ctx: Ctx, before: Date): Promise<number> {
  admit(ctx);
  return countForgettable(ctx, before);
}
