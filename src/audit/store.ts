import { and, asc, desc, eq, gt, gte, lt, or, type SQL, sql } from "drizzle-orm";
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

export type EntryFilter = {
  /** A name, with its kind behind it or without: `sweep` is `sweep (system)`. */
  actor?: string | undefined;
  /** One action, or all of a kind: `approval` is `approval.signed` and the others. */
  action?: string | undefined;
  subject?: string | undefined;
  /** Everything about an incident: its own entries, and those of what belongs to it. */
  incident_id?: string | undefined;
  since?: Date | undefined;
  /** Not included. */
  until?: Date | undefined;
};

function whereOf({ actor, action, subject, incident_id, since, until }: EntryFilter): (SQL | undefined)[] {
  const { actor: by, action: what, subject: about, data, at } = audit_entries;
  return [
    actor === undefined
      ? undefined
      : or(eq(by, actor), sql`${by} = ${actor}::text || ' (' || ${audit_entries.actor_kind} || ')'`),
    action === undefined ? undefined : or(eq(what, action), sql`starts_with(${what}, ${`${action}.`})`),
    subject === undefined ? undefined : eq(about, subject),
    incident_id === undefined
      ? undefined
      : or(eq(about, incident_id), sql`${data}->>'incident_id' = ${incident_id}`),
    since && gte(at, since),
    until && lt(at, until),
  ];
}

/** Entries that the filter lets through, newest first, from before `seq` on where that is given. */
export async function entriesBefore(
  ctx: Ctx,
  seq: number | undefined,
  limit: number,
  filter: EntryFilter = {},
): Promise<AuditEntry[]> {
  return ctx.db
    .select()
    .from(audit_entries)
    .where(and(seq === undefined ? undefined : lt(audit_entries.seq, seq), ...whereOf(filter)))
    .orderBy(desc(audit_entries.seq))
    .limit(limit);
}
