import { and, asc, count, countDistinct, desc, eq, gt, inArray, isNull, lt, ne, or, sql } from "drizzle-orm";
import type { OperationTarget } from "../contract/incident.ts";
import type { Ctx } from "../db/ctx.ts";
import { LOCKS } from "../db/lock.ts";
import { oneOf } from "../db/one-of.ts";
import { olderThan } from "../db/page.ts";
import { approvals, execution_attempts, executions } from "../db/schema.ts";
import { touchedBy, touchSame } from "../incident/index.ts";
import type { ExecutionRow } from "./types.ts";

const LIVE = ["pending", "running", "verifying"] as const;
const ended = (status: string) => !(LIVE as readonly string[]).includes(status);

export type Attempt = typeof execution_attempts.$inferSelect;

/** Inserts the execution of a step of an approval, or returns the existing one unchanged. */
export async function ensureExecution(ctx: Ctx, row: typeof executions.$inferInsert): Promise<ExecutionRow> {
  await ctx.db
    .insert(executions)
    .values(row)
    .onConflictDoNothing({ target: [executions.approval_id, executions.step] });
  const found = await findStep(ctx, row.approval_id, row.step ?? 1);
  if (found === undefined)
    throw new Error(`${row.execution_id} is missing in the transaction that inserted it`);
  return found;
}

async function findStep(ctx: Ctx, approval_id: string, step: number): Promise<ExecutionRow | undefined> {
  const [row] = await ctx.db
    .select()
    .from(executions)
    .where(and(eq(executions.approval_id, approval_id), eq(executions.step, step)));
  return row as ExecutionRow | undefined;
}

/** Returns the execution of an approval's latest step, locked. */
export async function lockLatest(ctx: Ctx, approval_id: string): Promise<ExecutionRow | undefined> {
  const [row] = await ctx.db
    .select()
    .from(executions)
    .where(eq(executions.approval_id, approval_id))
    .orderBy(desc(executions.step))
    .limit(1)
    .for("no key update");
  return row as ExecutionRow | undefined;
}

export async function findExecution(ctx: Ctx, execution_id: string): Promise<ExecutionRow | undefined> {
  const [row] = await ctx.db.select().from(executions).where(eq(executions.execution_id, execution_id));
  return row as ExecutionRow | undefined;
}

export async function lockExecution(ctx: Ctx, execution_id: string): Promise<ExecutionRow | undefined> {
  const [row] = await ctx.db
    .select()
    .from(executions)
    .where(eq(executions.execution_id, execution_id))
    .for("no key update");
  return row as ExecutionRow | undefined;
}

export async function updateExecution(
  ctx: Ctx,
  execution_id: string,
  change: Partial<typeof executions.$inferInsert>,
): Promise<ExecutionRow> {
  const [row] = await ctx.db
    .update(executions)
    .set(change)
    .where(eq(executions.execution_id, execution_id))
    .returning();
  return row as ExecutionRow;
}

export async function findAttempt(
  ctx: Ctx,
  execution_id: string,
  attempt: number,
): Promise<Attempt | undefined> {
  const [row] = await ctx.db
    .select()
    .from(execution_attempts)
    .where(and(eq(execution_attempts.execution_id, execution_id), eq(execution_attempts.attempt, attempt)));
  return row;
}

/** Returns whether an attempt of this execution may have reached its target. */
export async function wasSent(ctx: Ctx, execution_id: string): Promise<boolean> {
  const rows = await ctx.db
    .select({ attempt: execution_attempts.attempt })
    .from(execution_attempts)
    .where(and(eq(execution_attempts.execution_id, execution_id), eq(execution_attempts.sent, true)))
    .limit(1);
  return rows.length > 0;
}

/** Returns whether an attempt of this execution is known to have succeeded. */
export async function hasSucceeded(ctx: Ctx, execution_id: string): Promise<boolean> {
  const rows = await ctx.db
    .select({ attempt: execution_attempts.attempt })
    .from(execution_attempts)
    .where(and(eq(execution_attempts.execution_id, execution_id), eq(execution_attempts.outcome, "success")))
    .limit(1);
  return rows.length > 0;
}

export async function insertAttempt(ctx: Ctx, execution_id: string, attempt: number): Promise<void> {
  await ctx.db.insert(execution_attempts).values({ execution_id, attempt, started_at: ctx.clock.now() });
}

// Error of an attempt whose execution ended first; a result that arrives later replaces it.
const LEFT_OPEN = "the execution ended before it did";

/** Closes an attempt and returns when it began; null, and nothing changed, when it had its own outcome already. */
export async function endAttempt(
  ctx: Ctx,
  execution_id: string,
  attempt: number,
  end: { outcome: "success" | "failed" | "unknown"; sent: boolean; error: string | null },
): Promise<Date | null> {
  const rows = await ctx.db
    .update(execution_attempts)
    .set({ ...end, ended_at: ctx.clock.now() })
    .where(
      and(
        eq(execution_attempts.execution_id, execution_id),
        eq(execution_attempts.attempt, attempt),
        or(isNull(execution_attempts.outcome), eq(execution_attempts.error, LEFT_OPEN)),
      ),
    )
    .returning({ started_at: execution_attempts.started_at });
  return rows[0]?.started_at ?? null;
}

/** Closes the open attempts of an ended execution with the outcome `unknown`. */
export async function endOpenAttempts(ctx: Ctx, execution_id: string): Promise<void> {
  await ctx.db
    .update(execution_attempts)
    .set({ outcome: "unknown", sent: true, error: LEFT_OPEN, ended_at: ctx.clock.now() })
    .where(and(eq(execution_attempts.execution_id, execution_id), isNull(execution_attempts.outcome)));
}

const targetKey = (target: unknown) => JSON.stringify(target);

/** A pseudo-target that every act locks before it begins, in addition to its own target. */
export const EVERY_TARGET = "every target";

/** Takes the advisory lock of a target until the transaction ends: no other act on it can begin meanwhile. */
export async function lockTarget(ctx: Ctx, target: unknown): Promise<void> {
  await ctx.db.execute(
    sql`select pg_advisory_xact_lock(${LOCKS.target}::int, hashtext(${targetKey(target)}))`,
  );
}

/**
 * Counts what goes before this execution on its target: executions acting on it and, until this one has acted itself,
 * approved plans that were decided earlier, have not expired and have not acted yet.
 */
export async function countAhead(
  ctx: Ctx,
  { execution_id, approval_id, operation, attempts }: ExecutionRow,
): Promise<number> {
  const target = sql`${JSON.stringify(operation.target)}::jsonb`;
  const [acting] = await ctx.db
    .select({ n: count() })
    .from(executions)
    .where(
      and(
        inArray(executions.status, ["running", "verifying"]),
        ne(executions.execution_id, execution_id),
        gt(executions.attempts, 0),
        sql`${executions.operation}->'target' = ${target}`,
      ),
    );
  if (attempts > 0) return acting?.n ?? 0;
  const mine = ctx.db
    .select({ decided_at: approvals.decided_at })
    .from(approvals)
    .where(eq(approvals.approval_id, approval_id));
  const [earlier] = await ctx.db
    .select({ n: countDistinct(approvals.approval_id) })
    .from(approvals)
    .leftJoin(executions, eq(executions.approval_id, approvals.approval_id))
    .where(
      and(
        eq(approvals.status, "approved"),
        gt(approvals.authority_until, ctx.clock.now()),
        or(isNull(executions.status), eq(executions.status, "pending")),
        sql`coalesce(${executions.operation}, ${approvals.plan}->'operation')->'target' = ${target}`,
        sql`(${approvals.decided_at}, ${approvals.approval_id}) < ((${mine}), ${approval_id})`,
      ),
    );
  return (acting?.n ?? 0) + (earlier?.n ?? 0);
}

export type Acted = { target: number; total: number };

/**
 * Counts the other executions that have acted since `since`: on this target or its owners, and in total; `automatic` counts
 * policy's alone. Different spellings of a target count as one; in `all.target` another cluster is another target.
 */
export async function actedSince(
  ctx: Ctx,
  execution_id: string,
  { target, belongs_to }: { target: OperationTarget | null; belongs_to: readonly string[] },
  since: Date,
): Promise<{ all: Acted; automatic: Acted }> {
  const on = sql<OperationTarget | null>`${executions.operation}->'target'`;
  const owners = sql<string[]>`coalesce(${executions.before}->'belongs_to', '[]')`;
  const rows = await ctx.db
    .select({ on, owners, caller: executions.caller, times: count() })
    .from(executions)
    .where(
      and(
        gt(executions.started_at, since),
        gt(executions.attempts, 0),
        ne(executions.execution_id, execution_id),
      ),
    )
    .groupBy(on, owners, executions.caller);
  const sum = (some: typeof rows) => some.reduce((so_far, { times }) => so_far + times, 0);
  const touched = target === null ? [] : touchedBy(target, belongs_to);
  const same = rows.filter((one) => one.on !== null && touchSame(touchedBy(one.on, one.owners), touched));
  const { cluster } = target ?? {};
  const here = same.filter((one) => [one.on?.cluster, undefined].includes(cluster) || !one.on?.cluster);
  const byItself = (some: typeof rows) => sum(some.filter((one) => one.caller === "auto_repair"));
  return {
    all: { target: sum(here), total: sum(rows) },
    automatic: { target: byItself(same), total: byItself(rows) },
  };
}

/** Returns the ids of the executions that are acting now, oldest first. */
export async function actingNow(ctx: Ctx): Promise<string[]> {
  const rows = await ctx.db
    .select({ id: executions.execution_id })
    .from(executions)
    .where(and(eq(executions.status, "running"), gt(executions.attempts, 0)))
    .orderBy(asc(executions.started_at), asc(executions.execution_id));
  return rows.map((row) => row.id);
}

/** Returns a page of live executions past their deadline, by id, starting after the id `after`. */
export async function overdueExecutions(ctx: Ctx, after: string, limit: number): Promise<ExecutionRow[]> {
  const late = and(inArray(executions.status, [...LIVE]), lt(executions.deadline, ctx.clock.now()));
  const rows = await ctx.db
    .select()
    .from(executions)
    .where(and(late, gt(executions.execution_id, after)))
    .orderBy(asc(executions.execution_id))
    .limit(limit);
  return rows as ExecutionRow[];
}

/** Returns those of these incidents that have an execution that has not ended. */
export async function incidentsInExecution(ctx: Ctx, incident_ids: readonly string[]): Promise<Set<string>> {
  if (incident_ids.length === 0) return new Set();
  const rows = await ctx.db
    .selectDistinct({ id: executions.incident_id })
    .from(executions)
    .where(and(oneOf(executions.incident_id, incident_ids), inArray(executions.status, [...LIVE])));
  return new Set(rows.map((row) => row.id));
}

/** Returns the status of a whole plan from its latest step: a pending step after the first counts as running. */
const ofWhole = ({ step, status }: Pick<ExecutionRow, "step" | "status">): ExecutionRow["status"] =>
  step > 1 && status === "pending" ? "running" : status;

/** Returns the latest execution of each of these approvals that has any. Its status is that of the whole plan. */
export async function executionsOfApprovals(
  ctx: Ctx,
  approval_ids: readonly string[],
): Promise<Map<string, ExecutionRow>> {
  if (approval_ids.length === 0) return new Map();
  const rows = (await ctx.db
    .selectDistinctOn([executions.approval_id])
    .from(executions)
    .where(oneOf(executions.approval_id, approval_ids))
    .orderBy(asc(executions.approval_id), desc(executions.step))) as ExecutionRow[];
  return new Map(rows.map((row) => [row.approval_id, { ...row, status: ofWhole(row) }]));
}

/** Returns the status of the live executions of these incidents, by approval: that of the whole plan. */
export async function executionsUnderWay(
  ctx: Ctx,
  incident_ids: readonly string[],
): Promise<Map<string, ExecutionRow["status"]>> {
  if (incident_ids.length === 0) return new Map();
  const rows = await ctx.db
    .selectDistinctOn([executions.approval_id], {
      approval_id: executions.approval_id,
      step: executions.step,
      status: executions.status,
    })
    .from(executions)
    .where(and(oneOf(executions.incident_id, incident_ids), inArray(executions.status, LIVE)))
    .orderBy(asc(executions.approval_id), desc(executions.step));
  return new Map(rows.map((row) => [row.approval_id, ofWhole(row)]));
}

/** Returns the status of each of these executions, by id. */
export async function executionStatuses(
  ctx: Ctx,
  execution_ids: readonly string[],
): Promise<Map<string, ExecutionRow["status"]>> {
  if (execution_ids.length === 0) return new Map();
  const rows = await ctx.db
    .select({ id: executions.execution_id, status: executions.status })
    .from(executions)
    .where(oneOf(executions.execution_id, execution_ids));
  return new Map(rows.map((row) => [row.id, row.status]));
}

/** Returns up to `limit` + 1 executions, newest first: the extra row tells whether there is a next page. */
export async function executionPage(
  ctx: Ctx,
  incident_id: string | undefined,
  limit: number,
  cursor: string | undefined,
): Promise<ExecutionRow[]> {
  const rows = await ctx.db
    .select()
    .from(executions)
    .where(
      and(
        incident_id === undefined ? undefined : eq(executions.incident_id, incident_id),
        olderThan(cursor, executions.created_at, executions.execution_id),
      ),
    )
    .orderBy(desc(executions.created_at), desc(executions.execution_id))
    .limit(limit + 1);
  return rows as ExecutionRow[];
}

/** Deletes the executions of these incidents with their attempts; returns how many of each. */
export async function deleteExecutionsOf(
  ctx: Ctx,
  incident_ids: readonly string[],
): Promise<{ executions: number; execution_attempts: number }> {
  const theirs = oneOf(executions.incident_id, incident_ids);
  const ids = ctx.db.select({ id: executions.execution_id }).from(executions).where(theirs);
  const attempts = await ctx.db
    .delete(execution_attempts)
    .where(inArray(execution_attempts.execution_id, ids));
  const gone = await ctx.db.delete(executions).where(theirs);
  return { executions: gone.rowCount ?? 0, execution_attempts: attempts.rowCount ?? 0 };
}

export { ended };
