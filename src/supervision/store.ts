import { eq, sql } from "drizzle-orm";
import type { Ctx } from "../db/ctx.ts";
import { processes } from "../db/schema.ts";
import type { ProcessRow } from "./types.ts";

export async function processRows(ctx: Ctx): Promise<ProcessRow[]> {
  return ctx.db.select().from(processes);
}

export async function findProcess(ctx: Ctx, name: string): Promise<ProcessRow | undefined> {
  const [row] = await ctx.db.select().from(processes).where(eq(processes.name, name));
  return row;
}

/** Returns the row of a process, locked until the transaction ends; inserts one where there is none. */
export async function lockProcess(ctx: Ctx, name: string): Promise<ProcessRow> {
  await ctx.db
    .insert(processes)
    .values({ name, state: "up", since: ctx.clock.now() })
    .onConflictDoNothing({ target: processes.name });
  const [row] = await ctx.db.select().from(processes).where(eq(processes.name, name)).for("no key update");
  if (row === undefined)
    throw new Error(`the row of process ${name} is gone in the transaction that locked it`);
  return row;
}

export async function updateProcess(
  ctx: Ctx,
  name: string,
  change: Partial<Omit<ProcessRow, "name" | "since">>,
): Promise<ProcessRow> {
  const since = ctx.clock.now().toISOString();
  const [row] = await ctx.db
    .update(processes)
    .set({
      ...change,
      ...(change.state === undefined
        ? {}
        : {
            since: sql`case when ${processes.state} = ${change.state} then ${processes.since} else ${since}::timestamptz end`,
          }),
    })
    .where(eq(processes.name, name))
    .returning();
  if (row === undefined) throw new Error(`there is no row of process ${name}`);
  return row;
}
