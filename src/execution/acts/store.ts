import { and, gt, gte, inArray, max, sql, sum } from "drizzle-orm";
import type { OperationTarget } from "../../contract/incident.ts";
import type { Ctx } from "../../db/ctx.ts";
import { executions } from "../../db/schema.ts";
import { addSeconds } from "../../lib/clock.ts";

/** Returns whether an execution is acting on this target or being verified. */
export async function isActedOn(ctx: Ctx, target: OperationTarget): Promise<boolean> {
  const rows = await ctx.db
    .select({ id: executions.execution_id })
    .from(executions)
    .where(
      and(
        inArray(executions.status, ["running", "verifying"]),
        gt(executions.attempts, 0),
        sql`${executions.operation}->'target' = ${JSON.stringify(target)}::jsonb`,
      ),
    )
    .limit(1);
  return rows.length > 0;
}

// Every execution has ended long before this.
const LATE_HOURS = 24;

/** Returns recent acts (24 hours) on targets of a kind, as text by target name that changes when one begins or ends. */
export async function latestActsOn(ctx: Ctx, kind: string): Promise<Map<string, string>> {
  const since = addSeconds(ctx.clock.now(), -LATE_HOURS * 3_600);
  const name = sql<string>`${executions.operation}->'target'->>'name'`;
  const rows = await ctx.db
    .select({
      name,
      acts: sum(executions.attempts),
      begun: max(executions.started_at),
      over: max(executions.ended_at),
    })
    .from(executions)
    .where(
      and(
        gt(executions.created_at, since),
        gt(executions.attempts, 0),
        sql`${executions.operation}->'target'->>'kind' = ${kind}`,
      ),
    )
    .groupBy(name);
  return new Map(rows.map(({ name: of, ...done }) => [of, JSON.stringify(done)]));
}

/** Returns whether a repair of this target has been verified as successful since `since`. */
export async function isRepairedSince(ctx: Ctx, target: OperationTarget, since: Date): Promise<boolean> {
  const rows = await ctx.db
    .select({ id: executions.execution_id })
    .from(executions)
    .where(
      and(
        gte(executions.ended_at, since),
        sql`${executions.verification}->>'result' = 'success'`,
        sql`${executions.operation}->'target' = ${JSON.stringify(target)}::jsonb`,
      ),
    )
    .limit(1);
  return rows.length > 0;
}
