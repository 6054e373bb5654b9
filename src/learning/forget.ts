import { authorise } from "../access/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { countRows, type Forget, forgetRows } from "../db/forget.ts";
import { countSurplusRepairs, deleteSurplusRepairs, oldRepairs } from "./store.ts";

const admit = (ctx: Ctx) =>
  authorise(ctx.actor, "delete old repair records", { people: "none", system: ["retention"] });

/** Deletes at most `limit` repair records older than `before`, oldest first; returns how many. */
export async function forgetRepairs(ctx: Ctx, { before, limit }: Forget): Promise<number> {
  admit(ctx);
  return forgetRows(ctx, oldRepairs(before), limit);
}

/** Deletes repair records beyond the latest `keep` per action and anomaly, at most `limit`; returns how many. */
export async function forgetSurplusRepairs(ctx: Ctx, keep: number, limit: number): Promise<number> {
  admit(ctx);
  return deleteSurplusRepairs(ctx, keep, limit);
}

/** Counts the repair records that would be deleted for their age, and those for their number. */
export async function countOldRepairs(
  ctx: Ctx,
  { before, keep }: { before: Date; keep: number },
): Promise<{ old: number; surplus: number }> {
  admit(ctx);
  return { old: await countRows(ctx, oldRepairs(before)), surplus: await countSurplusRepairs(ctx, keep) };
}
