import { and, asc, desc, eq, gt, gte, lt, or, type SQL, sql } from "drizzle-orm";
import type { Ctx } from "../db/ctx.ts";
import { LOCKS } from "../db/lock.ts";
import { audit_entries } from "../db/schema.ts";
import type { AuditEntry } from "./types.ts";

/** Takes the ledger's advisory lock until the transaction ends, and returns the last entry. */
export async function lockHead(ctx: Ctx): Promise<{ seq: number; hash: string } | undefined> {
  await ctx.db.execute(sql`select pg_advisory_xact_lock(${LOCKS.audit})`);
  const [last] = await ctx.db
    .select({ seq: audit_entries.seq, hash: audit_entries.hash })
    .from(audit_entries)
    .orderBy(desc(audit_entries.seq))
    .limit(1);
  return last;
}

// Rows per statement: an entry has 9 parameters, and PostgreSQL takes at most 65,535.
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
  /** An actor's name with or without its kind: `sweep` also matches `sweep (system)`. */
  actor?: string | undefined;
  /** An action or a prefix of it: `approval` matches `approval.signed` and every other `approval.*`. */
  action?: string | undefined;
  subject?: string | undefined;
  /** Entries whose subject is this incident, or whose data has it as `incident_id`. */
  incident_id?: string | undefined;
  since?: Date | undefined;
  /** Exclusive. */
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

/** Returns up to `limit` entries that match the filter, newest first; only those before `seq` if it is given. */
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
