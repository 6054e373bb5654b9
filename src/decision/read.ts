import { authorise } from "../access/index.ts";
import type { Decision } from "../contract/decision.ts";
import type { ExecutionStatus } from "../contract/execution.ts";
import type { Ctx } from "../db/ctx.ts";
import { AwoooiError } from "../lib/error.ts";
import { findDecision } from "./store.ts";
import type { DecisionRow } from "./types.ts";

/** Returns a decision's state as people see it: once it has an execution, the state follows from that. */
export function shownState(
  decision: Pick<DecisionRow, "state">,
  execution: ExecutionStatus | null,
): Decision["state"] {
  switch (execution) {
    case null:
      return decision.state;
    case "pending":
    case "running":
    case "verifying":
      return "executing";
    case "success":
      return "completed";
    case "failed":
    case "refused":
      return "error";
  }
}

/** Converts a decision to its wire form. */
export function presentDecision(row: DecisionRow, execution: ExecutionStatus | null): Decision {
  return {
    ...row,
    state: shownState(row, execution),
    created_at: row.created_at.toISOString(),
    ready_at: row.ready_at?.toISOString() ?? null,
    valid_until: row.valid_until.toISOString(),
  };
}

/** Returns one decision; throws `not_found`. */
export async function getDecision(ctx: Ctx, token: string): Promise<DecisionRow> {
  authorise(ctx.actor, "read decisions", { people: "viewer" });
  const decision = await findDecision(ctx, token);
  if (decision === undefined) throw new AwoooiError("not_found", `There is no decision ${token}.`);
  return decision;
}
