import { and, asc, desc, eq, lte, ne, notExists, sql } from "drizzle-orm";
import type { PolicyVerdict } from "../contract/decision.ts";
import type { OperationTarget } from "../contract/incident.ts";
import type { Ctx } from "../db/ctx.ts";
import { oneOf } from "../db/one-of.ts";
import { approvals, decisions } from "../db/schema.ts";
import { touchedBy } from "../incident/index.ts";
import type { DecisionRow } from "./types.ts";

export async function insertDecision(ctx: Ctx, row: DecisionRow): Promise<void> {
  await ctx.db.insert(decisions).values(row);
}

/** Marks all decisions of an incident as superseded, before a new one is inserted. */
export async function supersedeDecisions(ctx: Ctx, incident_id: string): Promise<void> {
  await ctx.db
    .update(decisions)
    .set({ state: "superseded" })
    .where(and(eq(decisions.incident_id, incident_id), ne(decisions.state, "superseded")));
}

/** Marks all decisions of these incidents as superseded, with no new one to follow. */
export async function withdrawDecisions(ctx: Ctx, incident_ids: readonly string[]): Promise<void> {
  await ctx.db
    .update(decisions)
    .set({ state: "superseded" })
    .where(and(oneOf(decisions.incident_id, incident_ids), ne(decisions.state, "superseded")));
}

/** Moves a decision from `analyzing` to `ready`; in any other state it stays as it is. */
export async function readyDecision(ctx: Ctx, token: string): Promise<void> {
  await ctx.db
    .update(decisions)
    .set({ state: "ready", ready_at: ctx.clock.now() })
    .where(and(eq(decisions.token, token), eq(decisions.state, "analyzing")));
}

/**
 * Moves every decision to `ready` that is still `analyzing`, was made before `before` and has no approval in
 * preparation. Returns how many there were.
 */
export async function readyForgotten(ctx: Ctx, before: Date): Promise<number> {
  const preparing = ctx.db
    .select({ token: approvals.decision_token })
    .from(approvals)
    .where(and(eq(approvals.status, "preparing"), eq(approvals.decision_token, decisions.token)));
  const rows = await ctx.db
    .update(decisions)
    .set({ state: "ready", ready_at: ctx.clock.now() })
    .where(and(eq(decisions.state, "analyzing"), lte(decisions.created_at, before), notExists(preparing)))
    .returning({ token: decisions.token });
  return rows.length;
}

export async function findDecision(ctx: Ctx, token: string): Promise<DecisionRow | undefined> {
  const [row] = await ctx.db.select().from(decisions).where(eq(decisions.token, token));
  return row as DecisionRow | undefined;
}

/** Returns the newest decision of each incident. */
export async function latestDecisions(
  ctx: Ctx,
  incident_ids: readonly string[],
): Promise<Map<string, DecisionRow>> {
  if (incident_ids.length === 0) return new Map();
  const rows = (await ctx.db
    .selectDistinctOn([decisions.incident_id])
    .from(decisions)
    .where(oneOf(decisions.incident_id, incident_ids))
    .orderBy(asc(decisions.incident_id), desc(decisions.created_at), desc(decisions.token))) as DecisionRow[];
  return new Map(rows.map((row) => [row.incident_id, row]));
}

/** Replaces the policy verdict of a decision. */
export async function setVerdict(ctx: Ctx, token: string, policy: PolicyVerdict): Promise<void> {
  await ctx.db.update(decisions).set({ policy }).where(eq(decisions.token, token));
}

/**
 * Returns whether people have rejected a plan for one of these incidents, and whether an automatic repair of them failed
 * (other than that of approval `but`). Since `since`, other incidents count too where `isOurs` accepts the target.
 */
export async function earlierTries(
  ctx: Ctx,
  { incident_ids, but, since }: { incident_ids: readonly string[]; but: string; since: Date },
  isOurs: (touched: readonly OperationTarget[]) => boolean,
): Promise<{ rejected: boolean; failed: boolean }> {
  const ids = sql.param([...incident_ids]);
  const from = since.toISOString();
  type Tried = { rejected: boolean; own: boolean; target: OperationTarget | null; belongs_to: string[] };
  const { rows } = await ctx.db.execute<Tried>(sql`
    select distinct true as rejected, incident_id = any(${ids}::text[]) as own, step->'target' as target,
           coalesce(blast_radius->'belongs_to', blast_radius->'related_services', '[]') as belongs_to
      from approvals, jsonb_array_elements(jsonb_build_array(plan->'operation') || coalesce(plan->'further', '[]')) step
     where status = 'rejected'
       and (incident_id = any(${ids}::text[]) or created_at > ${from}::timestamptz)
    union all
    select distinct false, incident_id = any(${ids}::text[]), operation->'target', coalesce(before->'belongs_to', '[]')
      from executions
     where caller = 'auto_repair' and approval_id <> ${but}
       and (status = 'failed' or undone_by is not null or (status = 'refused' and incident_id = any(${ids}::text[])))
       and (incident_id = any(${ids}::text[]) or created_at > ${from}::timestamptz)`);
  const counts = rows.filter(
    ({ own, target, belongs_to }) => own || (target !== null && isOurs(touchedBy(target, belongs_to))),
  );
  return { rejected: counts.some((one) => one.rejected), failed: counts.some((one) => !one.rejected) };
}

/** Returns the number of automatic repairs since `since`, by what they touched. */
export async function automaticRepairs(
  ctx: Ctx,
  since: Date,
): Promise<{ touched: OperationTarget[]; times: number }[]> {
  const { rows } = await ctx.db.execute<{ target: OperationTarget; belongs_to: string[]; times: number }>(sql`
    select operation->'target' as target, coalesce(before->'belongs_to', '[]') as belongs_to, count(*)::int as times
      from executions
     where caller = 'auto_repair' and attempts > 0 and created_at > ${since.toISOString()}::timestamptz
     group by 1, 2`);
  return rows.map(({ target, belongs_to, times }) => ({ touched: touchedBy(target, belongs_to), times }));
}

/** Deletes the decisions of these incidents; returns how many. */
export async function deleteDecisionsOf(ctx: Ctx, incident_ids: readonly string[]): Promise<number> {
  const { rowCount } = await ctx.db.delete(decisions).where(oneOf(decisions.incident_id, incident_ids));
  return rowCount ?? 0;
}
