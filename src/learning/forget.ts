import { authorise } from "../access/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { countRows, type Forget, forgetRows } from "../db/forget.ts";
import { countSurplusRepairs, deleteSurplusRepairs, oldRepairs } from "./store.ts";

const admit = (ctx: Ctx) =>
  authorise(ctx.actor, "delete old repair records", { people: "nobody", system: ["retention"] });

/** Deletes repair records from before `before`, oldest first; returns how many. */
export async function forgetRepairs(ctx: Ctx, { before, limit }: Forget): Promise<number> {
  admit(ctx);
  return forgetRows(ctx, oldRepairs(before), limit);
}

/** Deletes what is behind the latest `keep` repairs of one action on one anomaly; returns how many. */
export async function forgetSurplusRepairs(ctx: Ctx, keep: number, limit: number): Promise<number> {
  admit(ctx);
  return deleteSurplusRepairs(ctx, keep, limit);
}

/** How many repair records would be deleted for their age, and how many for their number. */
export async function countOldRepairs(
  ctx: Ctx,
  { before, keep }: { before: Date; keep: number },
): Promise<{ old: number; surplus: number }> {
  admit(ctx);
  return { old: await countRows(ctx, oldRepairs(before)), surplus: await countSurplusRepairs(ctx, keep) };
}
