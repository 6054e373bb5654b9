import { and, asc, desc, eq, gt, inArray, isNull, lte, ne, notInArray, or, sql } from "drizzle-orm";
import type { Ctx } from "../db/ctx.ts";
import { oneOf } from "../db/one-of.ts";
import { olderThan } from "../db/page.ts";
import { approvals, executions, incidents, signatures } from "../db/schema.ts";
import type { ApprovalRow, Signature } from "./types.ts";

// Must equal the index's predicate word for word, so that waiting approvals are found without reading ended ones.
const WAITING = sql`(${approvals.status} in ('preparing', 'pending')
  or (${approvals.status} = 'approved' and ${approvals.begun_at} is null))`;

export async function insertApproval(ctx: Ctx, row: typeof approvals.$inferInsert): Promise<void> {
  await ctx.db.insert(approvals).values(row);
}

export async function findApproval(ctx: Ctx, approval_id: string): Promise<ApprovalRow | undefined> {
  const [row] = await ctx.db.select().from(approvals).where(eq(approvals.approval_id, approval_id));
  return row as ApprovalRow | undefined;
}

/** Returns the approval, locked until the transaction ends, so that concurrent decisions see each other. */
export async function lockApproval(ctx: Ctx, approval_id: string): Promise<ApprovalRow | undefined> {
  const [row] = await ctx.db
    .select()
    .from(approvals)
    .where(eq(approvals.approval_id, approval_id))
    .for("no key update");
  return row as ApprovalRow | undefined;
}

export async function updateApproval(
  ctx: Ctx,
  approval_id: string,
  change: Partial<typeof approvals.$inferInsert>,
): Promise<ApprovalRow> {
  const [row] = await ctx.db
    .update(approvals)
    .set(change)
    .where(eq(approvals.approval_id, approval_id))
    .returning();
  return row as ApprovalRow;
}

/** Returns the preparing or pending approval of an incident, if any, locked. */
export async function lockOpenApproval(ctx: Ctx, incident_id: string): Promise<ApprovalRow | undefined> {
  const [row] = await ctx.db
    .select()
    .from(approvals)
    .where(and(eq(approvals.incident_id, incident_id), inArray(approvals.status, ["preparing", "pending"])))
    .for("no key update");
  return row as ApprovalRow | undefined;
}

/** Adds a signature; false when this person has signed this approval before. */
export async function insertSignature(ctx: Ctx, signature: Signature): Promise<boolean> {
  const rows = await ctx.db
    .insert(signatures)
    .values(signature)
    .onConflictDoNothing()
    .returning({ person: signatures.person_id });
  return rows.length > 0;
}

/** Overwrites a person's earlier signature, which no longer counts. */
export async function renewSignature(ctx: Ctx, signature: Signature): Promise<void> {
  const { approval_id, person_id, ...fields } = signature;
  await ctx.db
    .update(signatures)
    .set(fields)
    .where(and(eq(signatures.approval_id, approval_id), eq(signatures.person_id, person_id)));
}

export async function signaturesOf(
  ctx: Ctx,
  approval_ids: readonly string[],
): Promise<Map<string, Signature[]>> {
  const rows = await ctx.db
    .select()
    .from(signatures)
    .where(oneOf(signatures.approval_id, approval_ids))
    .orderBy(asc(signatures.at), asc(signatures.person_id));
  const found = new Map<string, Signature[]>(approval_ids.map((id) => [id, []]));
  for (const row of rows) found.get(row.approval_id)?.push(row);
  return found;
}

export type ApprovalKey = Pick<
  ApprovalRow,
  "approval_id" | "incident_id" | "decision_token" | "status" | "begun_at"
>;

/** Returns the approvals of each incident, newest first: ids and states only, as there may be hundreds. */
export async function approvalKeys(
  ctx: Ctx,
  incident_ids: readonly string[],
): Promise<Map<string, ApprovalKey[]>> {
  const found = new Map<string, ApprovalKey[]>(incident_ids.map((id) => [id, []]));
  if (incident_ids.length === 0) return found;
  const { approval_id, incident_id, decision_token, status, begun_at } = approvals;
  const rows = await ctx.db
    .select({ approval_id, incident_id, decision_token, status, begun_at })
    .from(approvals)
    .where(oneOf(approvals.incident_id, incident_ids))
    .orderBy(desc(approvals.created_at), desc(approvals.approval_id));
  for (const row of rows) found.get(row.incident_id)?.push(row);
  return found;
}

export type ApprovalFilter = {
  status?: ApprovalRow["status"] | undefined;
  /** Statuses of the execution, for approved ones; null: none has begun. */
  execution?: readonly string[] | null | undefined;
  incident_id?: string | undefined;
};

// The latest step gives the status of the whole plan; a pending step after the first counts as running.
const LATEST_STEP = and(
  eq(executions.approval_id, approvals.approval_id),
  sql`not exists (select from executions later
    where later.approval_id = ${executions.approval_id} and later.step > ${executions.step})`,
);
const RUN = sql<string | null>`case when ${executions.step} > 1 and ${executions.status} = 'pending'
  then 'running' else ${executions.status} end`;

/** Returns up to `limit` + 1 approvals, newest first, each with its execution's status; the extra row: a next page. */
export async function approvalPage(
  ctx: Ctx,
  filter: ApprovalFilter,
  limit: number,
  cursor: string | undefined,
): Promise<{ approval: ApprovalRow; execution: string | null }[]> {
  const { status, execution, incident_id } = filter;
  const rows = await ctx.db
    .select({ approval: approvals, execution: RUN })
    .from(approvals)
    .leftJoin(executions, LATEST_STEP)
    .where(
      and(
        status && eq(approvals.status, status),
        execution === null ? sql`coalesce(${RUN}, 'pending') = 'pending'` : undefined,
        execution ? oneOf(RUN, execution) : undefined,
        incident_id === undefined ? undefined : eq(approvals.incident_id, incident_id),
        olderThan(cursor, approvals.created_at, approvals.approval_id),
      ),
    )
    .orderBy(desc(approvals.created_at), desc(approvals.approval_id))
    .limit(limit + 1);
  return rows as { approval: ApprovalRow; execution: string | null }[];
}

/** Returns the newest approval of each incident that is not superseded, or else the newest. */
export async function latestApprovals(
  ctx: Ctx,
  incident_ids: readonly string[],
): Promise<Map<string, ApprovalRow>> {
  if (incident_ids.length === 0) return new Map();
  const rows = (await ctx.db
    .selectDistinctOn([approvals.incident_id])
    .from(approvals)
    .where(oneOf(approvals.incident_id, incident_ids))
    .orderBy(
      asc(approvals.incident_id),
      desc(ne(approvals.status, "superseded")),
      desc(approvals.created_at),
      desc(approvals.approval_id),
    )) as ApprovalRow[];
  return new Map(rows.map((row) => [row.incident_id, row]));
}

/** Returns those of these approvals that can be signed now. */
export async function pendingApprovals(ctx: Ctx, ids: readonly string[]): Promise<Set<string>> {
  const rows = await ctx.db
    .select({ approval_id: approvals.approval_id })
    .from(approvals)
    .where(and(oneOf(approvals.approval_id, ids), eq(approvals.status, "pending")));
  return new Set(rows.map(({ approval_id }) => approval_id));
}

/** Returns those of these incidents with an approval that is preparing, pending, or approved, valid and not begun. */
export async function withStandingPlan(ctx: Ctx, incident_ids: readonly string[]): Promise<Set<string>> {
  if (incident_ids.length === 0) return new Set();
  const live = or(ne(approvals.status, "approved"), gt(approvals.authority_until, ctx.clock.now()));
  const rows = await ctx.db
    .selectDistinct({ id: approvals.incident_id })
    .from(approvals)
    .where(and(WAITING, oneOf(approvals.incident_id, incident_ids), live));
  return new Set(rows.map((row) => row.id));
}

/** Returns the approvals of these incidents that are preparing, pending, or approved and not begun, locked. */
export async function lockWaiting(ctx: Ctx, incident_ids: readonly string[]): Promise<ApprovalRow[]> {
  const rows = await ctx.db
    .select()
    .from(approvals)
    .where(and(WAITING, oneOf(approvals.incident_id, incident_ids)))
    .orderBy(asc(approvals.approval_id))
    .for("no key update");
  return rows as ApprovalRow[];
}

export async function supersedeAll(ctx: Ctx, approval_ids: readonly string[]): Promise<void> {
  await ctx.db
    .update(approvals)
    .set({ status: "superseded", decided_at: ctx.clock.now() })
    .where(oneOf(approvals.approval_id, approval_ids));
}

/** Returns whether an approval has executions and all have ended; between two steps the next one is already pending. */
export async function isCarriedOut(ctx: Ctx, approval_id: string): Promise<boolean> {
  const rows = await ctx.db
    .select({ status: executions.status })
    .from(executions)
    .where(eq(executions.approval_id, approval_id));
  return rows.length > 0 && !rows.some(({ status }) => ["pending", "running", "verifying"].includes(status));
}

/** Marks an approval as being carried out; an earlier mark stays. */
export async function markBegun(ctx: Ctx, approval_id: string): Promise<void> {
  await ctx.db
    .update(approvals)
    .set({ begun_at: ctx.clock.now() })
    .where(and(eq(approvals.approval_id, approval_id), isNull(approvals.begun_at)));
}

export type OverdueApproval = Pick<ApprovalRow, "approval_id" | "incident_id" | "status"> & {
  /** Its incident is over, so it no longer needs an answer. */
  needless: boolean;
};

/**
 * Returns a page, starting after the id `after`, of the approvals whose time in their state is over (evidence not
 * gathered, not signed, authority not used) and of open ones whose incident is over.
 */
export async function overdueApprovals(ctx: Ctx, after: string, limit: number): Promise<OverdueApproval[]> {
  const now = ctx.clock.now();
  const open = inArray(approvals.status, ["preparing", "pending"]);
  const needless = and(open, notInArray(incidents.status, ["investigating", "mitigating"]));
  return ctx.db
    .select({
      approval_id: approvals.approval_id,
      incident_id: approvals.incident_id,
      status: approvals.status,
      needless: sql<boolean>`${needless}`,
    })
    .from(approvals)
    .innerJoin(incidents, eq(incidents.incident_id, approvals.incident_id))
    .where(
      and(
        WAITING,
        gt(approvals.approval_id, after),
        or(
          needless,
          and(eq(approvals.status, "preparing"), lte(approvals.prepare_until, now)),
          and(eq(approvals.status, "pending"), lte(approvals.expires_at, now)),
          and(eq(approvals.status, "approved"), lte(approvals.authority_until, now)),
        ),
      ),
    )
    .orderBy(asc(approvals.approval_id))
    .limit(limit);
}

/** Deletes the approvals of these incidents with their signatures; returns how many of each. */
export async function deleteApprovalsOf(
  ctx: Ctx,
  incident_ids: readonly string[],
): Promise<{ approvals: number; signatures: number }> {
  const theirs = oneOf(approvals.incident_id, incident_ids);
  const ids = ctx.db.select({ id: approvals.approval_id }).from(approvals).where(theirs);
  const signed = await ctx.db.delete(signatures).where(inArray(signatures.approval_id, ids));
  const gone = await ctx.db.delete(approvals).where(theirs);
  return { approvals: gone.rowCount ?? 0, signatures: signed.rowCount ?? 0 };
}
