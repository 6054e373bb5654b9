import { asc, desc, gt, lt, sql } from "drizzle-orm";
import type { Ctx } from "../db/ctx.ts";
import { LOCKS } from "../db/lock.ts";
import { audit_entries } from "../db/schema.ts";
import type { AuditEntry } from "./types.ts";

/** Locks the end of the chain until the transaction ends, and returns its last entry. */
export async function lockHead(ctx: Ctx): Promise<{ seq: number; hash: string } | undefined> {
  await ctx.db.execute(sql`select pg_advisory_xact_lock(${LOCKS.audit})`);
  const [last] = await ctx.db
    .select({ seq: audit_entries.seq, hash: audit_entries.hash })
    .from(audit_entries)
    .orderBy(desc(audit_entries.seq))
    .limit(1);
  return last;
}

// Below the 65,535 parameters that PostgreSQL takes in one statement; an entry has 9.
const INSERT = 5_000;

export async function insertEntries(ctx: Ctx, entries: readonly AuditEntry[]): Promise<void> {
  for (let at = 0; at < entries.length; at += INSERT)
    await ctx.db.insert(audit_entries).values(entries.slice(at, at + INSERT));
}

export async function entriesAfter(ctx: Ctx, seq: number, limit: number): Promise<AuditEntry[]> {
  return ctx.db
    .select()
    .from(audit_entries)
    .where(gt(audit_entries.seq, seq))
    .orderBy(asc(audit_entries.seq))
    .limit(limit);
}

export async function entriesBefore(ctx: Ctx, seq: number | undefined, limit: number): Promise<AuditEntry[]> {
  return ctx.db
    .select()
    .from(audit_entries)
    .where(seq === undefined ? undefined : lt(audit_entries.seq, seq))
    .orderBy(desc(audit_entries.seq))
    .limit(limit);
}
