import { authorise } from "../access/index.ts";
import type { Execution, ExecutionQuery } from "../contract/execution.ts";
import type { Ctx } from "../db/ctx.ts";
import { pageOf } from "../db/page.ts";
import { AwoooiError } from "../lib/error.ts";
import { inWords, redactedOperation } from "../operation/index.ts";
import { logDescription } from "./run/log-entry.ts";
import { executionPage, findExecution } from "./store.ts";
import type { ExecutionRow, Undo } from "./types.ts";

const shownUndo = (undo: Undo): Execution["undo"] =>
  undo.ok
    ? { possible: true, action: inWords(undo.operation), leaves: undo.leaves, reason: null }
    : { possible: false, action: null, leaves: null, reason: undo.reason };

/** Converts an execution to its wire form. */
export function presentExecution(row: ExecutionRow): Execution {
  const {
    operation,
    undo,
    created_at,
    started_at,
    ended_at,
    before,
    deadline: _,
    plan_hash: __,
    ...rest
  } = row;
  return {
    ...rest,
    // The row keeps the execution's own result; people see that it was undone.
    status: rest.undone_by === null ? rest.status : "rolled_back",
    ...logDescription(row),
    operation: redactedOperation(operation),
    undo: undo === null ? null : shownUndo(undo),
    target: operation.target,
    duration_ms: started_at !== null && ended_at !== null ? ended_at.getTime() - started_at.getTime() : null,
    // A snapshot belongs to one execution and shares its id.
    snapshot_id: before === null || "unavailable" in before ? null : rest.execution_id,
    created_at: created_at.toISOString(),
    started_at: started_at?.toISOString() ?? null,
    ended_at: ended_at?.toISOString() ?? null,
  };
}

/** Returns one execution; throws `not_found`. */
export async function getExecution(ctx: Ctx, execution_id: string): Promise<ExecutionRow> {
  authorise(ctx.actor, "read executions", { people: "viewer", system: ["pipeline", "sweep"] });
  const execution = await findExecution(ctx, execution_id);
  if (execution === undefined) throw new AwoooiError("not_found", `There is no execution ${execution_id}.`);
  return execution;
}

/** Returns a page of executions, newest first. */
export async function listExecutions(
  ctx: Ctx,
  query: ExecutionQuery,
): Promise<{ rows: ExecutionRow[]; next_cursor: string | null }> {
  authorise(ctx.actor, "read executions", { people: "viewer" });
  const rows = await executionPage(ctx, query.incident_id, query.limit, query.cursor);
  return pageOf(rows, query.limit, (row) => ({ at: row.created_at, id: row.execution_id }));
}
