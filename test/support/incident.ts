import type { Ctx } from "../../src/db/ctx.ts";
import { incidents } from "../../src/db/schema.ts";
import type { IncidentRow } from "../../src/incident/index.ts";

/** Puts an incident into the database as it is given, without its journey. */
export async function insertIncident(ctx: Ctx, row: typeof incidents.$inferInsert): Promise<IncidentRow> {
  const [inserted] = await ctx.db.insert(incidents).values(row).returning();
  return inserted as IncidentRow;
}
