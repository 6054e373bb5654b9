import { desc, eq } from "drizzle-orm";
import type { Investigation } from "../contract/evidence.ts";
import type { Ctx } from "../db/ctx.ts";
import { oneOf } from "../db/one-of.ts";
import { investigations } from "../db/schema.ts";

export async function insertInvestigation(
  ctx: Ctx,
  incident_id: string,
  { at, ...found }: Investigation,
): Promise<void> {
  await ctx.db.insert(investigations).values({ ...found, incident_id, at: new Date(at) });
}

/** Returns the latest investigation of an incident's target. */
export async function latestInvestigation(ctx: Ctx, incident_id: string): Promise<Investigation | undefined> {
  const { at, target, evidence, findings, missing, candidates } = investigations;
  const [row] = await ctx.db
    .select({ at, target, evidence, findings, missing, candidates })
    .from(investigations)
    .where(eq(investigations.incident_id, incident_id))
    .orderBy(desc(investigations.seq))
    .limit(1);
  if (row === undefined) return undefined;
  const { candidates: open, ...rest } = row;
  return {
    ...rest,
    at: row.at.toISOString(),
    ...(open === null || open.length === 0 ? {} : { candidates: open }),
  } as Investigation;
}

/** Deletes the investigations of these incidents; returns how many. */
export async function deleteInvestigationsOf(ctx: Ctx, incident_ids: readonly string[]): Promise<number> {
  const { rowCount } = await ctx.db
    .delete(investigations)
    .where(oneOf(investigations.incident_id, incident_ids));
  return rowCount ?? 0;
}
