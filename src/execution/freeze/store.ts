import { and, asc, gt, isNull, or, sql } from "drizzle-orm";
import type { Ctx } from "../../db/ctx.ts";
import { freezes } from "../../db/schema.ts";

export type FreezeRow = typeof freezes.$inferSelect;

export async function insertFreeze(ctx: Ctx, row: typeof freezes.$inferInsert): Promise<void> {
  await ctx.db.insert(freezes).values(row);
}

const standing = (ctx: Ctx) =>
  and(isNull(freezes.lifted_at), or(isNull(freezes.until), gt(freezes.until, ctx.clock.now())));

/** Returns the freezes in force now; the one that ends last comes first. */
export async function standingFreezes(ctx: Ctx): Promise<FreezeRow[]> {
  return ctx.db
    .select()
    .from(freezes)
    .where(standing(ctx))
    .orderBy(sql`${freezes.until} desc nulls first`, asc(freezes.since), asc(freezes.freeze_id));
}

/** Lifts the freezes in force now and returns them. */
export async function liftFreezes(
  ctx: Ctx,
  by: { lifted_by: string; lifted_by_kind: string },
): Promise<FreezeRow[]> {
  return ctx.db
    .update(freezes)
    .set({ ...by, lifted_at: ctx.clock.now() })
    .where(standing(ctx))
    .returning();
}
