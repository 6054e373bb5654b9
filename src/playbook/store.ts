import { and, asc, desc, eq, isNull, or, sql } from "drizzle-orm";
import type { PlaybookQuery } from "../contract/playbook.ts";
import type { Ctx } from "../db/ctx.ts";
import { LOCKS } from "../db/lock.ts";
import { olderThan } from "../db/page.ts";
import { playbooks } from "../db/schema.ts";
import type { PlaybookRow } from "./types.ts";

export async function insertPlaybook(ctx: Ctx, row: typeof playbooks.$inferInsert): Promise<PlaybookRow> {
  const [inserted] = await ctx.db.insert(playbooks).values(row).returning();
  return inserted as PlaybookRow;
}

export async function updatePlaybook(
  ctx: Ctx,
  playbook_id: string,
  change: Partial<typeof playbooks.$inferInsert>,
): Promise<PlaybookRow> {
  const [row] = await ctx.db
    .update(playbooks)
    .set({ ...change, updated_at: ctx.clock.now() })
    .where(eq(playbooks.playbook_id, playbook_id))
    .returning();
  if (row === undefined) throw new Error(`${playbook_id} is gone although it is locked`);
  return row as PlaybookRow;
}

export async function findPlaybook(ctx: Ctx, playbook_id: string): Promise<PlaybookRow | undefined> {
  const [row] = await ctx.db.select().from(playbooks).where(eq(playbooks.playbook_id, playbook_id));
  return row as PlaybookRow | undefined;
}

export async function lockPlaybook(ctx: Ctx, playbook_id: string): Promise<PlaybookRow | undefined> {
  const where = eq(playbooks.playbook_id, playbook_id);
  const [row] = await ctx.db.select().from(playbooks).where(where).for("update");
  return row as PlaybookRow | undefined;
}

/** Locks imports until the transaction ends, so that of two with the same name the second sees the first. */
export async function lockImports(ctx: Ctx): Promise<void> {
  await ctx.db.execute(sql`select pg_advisory_xact_lock(${LOCKS.playbooks})`);
}

export async function lockByName(ctx: Ctx, name: string): Promise<PlaybookRow | undefined> {
  const [row] = await ctx.db.select().from(playbooks).where(eq(playbooks.name, name)).for("update");
  return row as PlaybookRow | undefined;
}

/** Returns all approved playbooks. */
export async function approvedPlaybooks(ctx: Ctx): Promise<PlaybookRow[]> {
  return (await ctx.db.select().from(playbooks).where(eq(playbooks.status, "approved"))) as PlaybookRow[];
}

/** Returns approved playbooks that this person approved, or a person of this name where the id was not stored. */
export async function playbooksApprovedBy(
  ctx: Ctx,
  { person_id, person }: { person_id: string; person: string },
): Promise<PlaybookRow[]> {
  const byName = and(isNull(playbooks.approved_by_person), eq(playbooks.approved_by, person));
  const rows = await ctx.db
    .select()
    .from(playbooks)
    .where(and(eq(playbooks.status, "approved"), or(eq(playbooks.approved_by_person, person_id), byName)))
    .orderBy(asc(playbooks.name));
  return rows as PlaybookRow[];
}

/** Returns up to `limit` + 1 playbooks, newest first. */
export async function playbookPage(
  ctx: Ctx,
  { status, limit, cursor }: PlaybookQuery,
): Promise<PlaybookRow[]> {
  const rows = await ctx.db
    .select()
    .from(playbooks)
    .where(
      and(
        status && eq(playbooks.status, status),
        olderThan(cursor, playbooks.created_at, playbooks.playbook_id),
      ),
    )
    .orderBy(desc(playbooks.created_at), desc(playbooks.playbook_id))
    .limit(limit + 1);
  return rows as PlaybookRow[];
}
