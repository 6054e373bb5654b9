import { authorise } from "../access/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { countRows, type Forget, forgetRows } from "../db/forget.ts";
import { oldSilences } from "./store.ts";

/** Deletes silences that ended before `before`, oldest first; returns how many. */
export async function forgetSilences(ctx: Ctx, { before, limit }: Forget): Promise<number> {
  authorise(ctx.actor, "delete old silences", { people: "none", system: ["retention"] });
  return forgetRows(ctx, oldSilences(before), limit);
}

/** Returns how many silences would be deleted. */
export async function countOldSilences(ctx: Ctx, before: Date): Promise<number> {
  authorise(ctx.actor, "count old silences", { people: "none", system: ["retention"] });
  return countRows(ctx, oldSilences(before));
}
