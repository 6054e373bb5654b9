import { and, asc, desc, eq, gt, inArray, isNull, lte, ne, notInArray, or, sql } from "drizzle-orm";
import type { Ctx } from "../db/ctx.ts";
import { oneOf } from "../db/one-of.ts";
import { olderThan } from "../db/page.ts";
import { approvals, executions, incidents, signatures } from "../db/schema.ts";
import type { ApprovalRow, Signature } from "./types.ts";

// Word for word the predicate of its index: what waits is found without reading what is over.
const WAITING = sql`(${approvals.status} in ('preparing', 'pending')
  or (${approvals.status} = 'approved' and ${approvals.begun_at} is null))`;

export async function insertApproval(ctx: Ctx, row: typeof approvals.$inferInsert): Promise<void> {
  await ctx.db.insert(approvals).values(row);
}

export async function findApproval(ctx: Ctx, approval_id: string): Promise<ApprovalRow | undefined> {
  const [row] = await ctx.db.select().from(approvals).where(eq(approvals.approval_id, approval_id));
  return row as ApprovalRow | undefined;
}

/** The approval, locked until the transaction ends: of two people at once the second sees the first. */
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

/** The approval of an incident that is preparing or pending, if any, locked. */
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

/** Signs anew for somebody whose earlier signature does not count any more. */
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

/** Which approvals each incident has had, newest first: names and states only, for there may be hundreds. */
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
  /** Of approved ones: where the execution stands; null for not begun. */
  execution?: readonly string[] | null | undefined;
  incident_id?: string | undefined;
};

// Of a plan with several steps the latest says where the whole stands; one that waits has others behind it.
const LATEST_STEP = and(
  eq(executions.approval_id, approvals.approval_id),
  sql`not exists (select from executions later
    where later.approval_id = ${executions.approval_id} and later.step > ${executions.step})`,
);
const RUN = sql<string | null>`case when ${executions.step} > 1 and ${executions.status} = 'pending'
  then 'running' else ${executions.status} end`;

/** One row more than `limit`, newest first, each with where its execution stands. */
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

/** The newest approval of each incident that is not superseded, or else the newest. */
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

/** Which of these incidents have a plan that is prepared, before people, or signed and about to be carried out. */
export async function withStandingPlan(ctx: Ctx, incident_ids: readonly string[]): Promise<Set<string>> {
  if (incident_ids.length === 0) return new Set();
  const live = or(ne(approvals.status, "approved"), gt(approvals.authority_until, ctx.clock.now()));
  const rows = await ctx.db
    .selectDistinct({ id: approvals.incident_id })
    .from(approvals)
    .where(and(WAITING, oneOf(approvals.incident_id, incident_ids), live));
  return new Set(rows.map((row) => row.id));
}

/** Of these incidents the approvals that are prepared, before people, or signed and about to be carried out, locked. */
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

/** Whether all is over that an approval led to; while one step follows another there is always one that is not. */
export async function isCarriedOut(ctx: Ctx, approval_id: string): Promise<boolean> {
  const rows = await ctx.db
    .select({ status: executions.status })
    .from(executions)
    .where(eq(executions.approval_id, approval_id));
  return rows.length > 0 && !rows.some(({ status }) => ["pending", "running", "verifying"].includes(status));
}

/** Says that an approval is being carried out. */
export async function markBegun(ctx: Ctx, approval_id: string): Promise<void> {
  await ctx.db
    .update(approvals)
    .set({ begun_at: ctx.clock.now() })
    .where(and(eq(approvals.approval_id, approval_id), isNull(approvals.begun_at)));
}

export type OverdueApproval = Pick<ApprovalRow, "approval_id" | "incident_id" | "status"> & {
  /** Its incident is over: there is nothing left to ask. */
  needless: boolean;
};

/**
 * A page of the approvals whose time in their state is over (evidence not gathered, not signed, authority
 * not used), or whose incident is, from after `after` on.
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

/** Deletes the approvals of these incidents with their signatures. */
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
