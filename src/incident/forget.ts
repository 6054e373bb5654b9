import { authorise } from "../access/index.ts";
import type { Ctx } from "../db/ctx.ts";
import type { Forget } from "../db/forget.ts";
import { transaction } from "../db/transaction.ts";
import { countForgettable, deleteIncidents, lockForgettable } from "./store.ts";

const admit = (ctx: Ctx) =>
  authorise(ctx.actor, "delete old incidents", { people: "nobody", system: ["retention"] });

/**
 * Deletes incidents that have been over since before `before`, whole: `dependants` deletes, in the same
 * transaction, what later stages know of them. Returns how many rows of each table went.
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

/** How many incidents would be deleted. */
export async function countOldIncidents(ctx: Ctx, before: Date): Promise<number> {
  admit(ctx);
  return countForgettable(ctx, before);
}
