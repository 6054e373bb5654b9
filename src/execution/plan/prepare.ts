import { authorise } from "../../access/index.ts";
import type { Check } from "../../contract/approval.ts";
import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { note } from "../../incident/index.ts";
import { clipCounted } from "../../lib/clip.ts";
import { redactText, redactTexts } from "../../lib/redact.ts";
import { inWords, type Operation } from "../../operation/index.ts";
import { readThroughGateway } from "../gate/gateway.ts";
import type { Refusal } from "../gate/refusals.ts";
import { operationLogRow, storableError } from "../run/log-entry.ts";
import type { Executor, Gateway, Resolution, Undo } from "../types.ts";

/** What is known about one operation of a plan before anyone signs it. */
export type Preparation = {
  /** The operation with its open parameters filled in. */
  operation: Operation;
  checks: Check[];
  diff: string | null;
  affected_pods: number;
  /** Owners of the target and what else is affected with it, as the system reports them. */
  belongs_to?: readonly string[];
  /** Why it cannot be carried out at all; null: it can. */
  impossible: string | null;
  /** The refusal of the gate that did not allow the target to be read. */
  refusal?: Refusal;
};

/** Longest diff on a card, in characters; a longer one is cut with a note of how much is missing. */
const DIFF_LIMIT = 20_000;

function shown(diff: string): string {
  return clipCounted(redactText(diff), DIFF_LIMIT, "\n");
}

function resolutionCheck(resolution: Resolution): Check {
  const name = "target exists";
  switch (resolution.result) {
    case "hit":
      return { name, passed: true, message: "found by its exact name" };
    case "suggestion":
      return { name, passed: false, message: `not found; similar names: ${resolution.names.join(", ")}` };
    case "miss":
    case "error":
      return { name, passed: false, message: resolution.message };
  }
}

/**
 * Resolves the target and dry-runs the operation through the gateway, and writes the result into the operation log.
 * Changes nothing else.
 */
export async function prepareExecution(
  ctx: Ctx,
  input: { incident_id: string; operation: Operation },
  gateway: Gateway,
): Promise<Preparation> {
  authorise(ctx.actor, "prepare executions", { people: "none", system: ["pipeline"] });
  const began = ctx.clock.now().getTime();
  const prepared = await tryOut(ctx, input, gateway);
  const { checks, operation } = prepared;
  const failed = checks.filter((one) => !one.passed);
  const error = failed.map(({ name, message }) => `${name}: ${message}`).join("; ");
  const row = operationLogRow(
    { operation, caller: "planner" },
    {
      status: "dry_run",
      duration_ms: ctx.clock.now().getTime() - began,
      error: error === "" ? null : storableError(error),
    },
  );
  const { incident_id } = input;
  const text = `Dry-run: ${inWords(operation)}: ${checks.length - failed.length} of ${checks.length} checks passed`;
  await transaction(ctx, async (tx) =>
    note(tx, {
      ...{ incident_id, kind: "execution", text, event: "DRY_RUN_COMPLETED" },
      data: { checks, ...row },
    }),
  );
  return prepared;
}

async function tryOut(
  ctx: Ctx,
  input: { incident_id: string; operation: Operation },
  gateway: Gateway,
): Promise<Preparation> {
  const { incident_id, operation: asked } = input;
  const read = <T>(operation: Operation, what: string, work: (executor: Executor) => Promise<T>) =>
    readThroughGateway(ctx, gateway, { caller: "planner", incident_id, operation }, what, work);
  const nothing = { operation: asked, diff: null, affected_pods: 0, impossible: null };
  const resolved = await read(asked, "resolve", (executor) => executor.resolve(asked));
  if (!resolved.ok) {
    const { message, refusal } = resolved;
    const checks = [{ name: "target exists", passed: false, message }];
    return { ...nothing, checks, ...(refusal && { refusal }) };
  }
  const found = resolutionCheck(resolved.value);
  const { result } = resolved.value;
  if (result === "miss" || result === "suggestion") {
    return { ...nothing, checks: [found], impossible: `the target was not found (${found.message})` };
  }
  const operation = (result === "hit" ? resolved.value.exact : undefined) ?? asked;
  const dryRun = await read(operation, "dry-run", (executor) => executor.dryRun(operation));
  if (!dryRun.ok) {
    const { message, refusal } = dryRun;
    const checks = redactTexts([found, { name: "dry-run", passed: false, message }]);
    return { ...nothing, operation, checks, ...(refusal && { refusal }) };
  }
  const { checks, diff = null, affected_pods = 0, belongs_to = [] } = dryRun.value;
  return {
    operation,
    checks: redactTexts([found, ...checks]),
    diff: diff === null ? null : shown(diff),
    affected_pods,
    belongs_to,
    impossible: null,
  };
}

/** The state before an act, and how the act would be undone: null where that is not known. */
export type Snapshot = { before: Record<string, unknown>; undo: Undo | null };

/** Takes the executor's snapshot of what is about to change; when that fails, `before.unavailable` is the reason. */
export async function takeSnapshot(
  ctx: Ctx,
  input: { incident_id: string; operation: Operation },
  gateway: Gateway,
): Promise<Snapshot> {
  authorise(ctx.actor, "take snapshots", { people: "none", system: ["pipeline"] });
  const { operation } = input;
  const call = { caller: "planner" as const, ...input };
  const taken = await readThroughGateway(ctx, gateway, call, "snapshot", async (executor) => {
    const before = await executor.snapshot(operation);
    return { before, undo: executor.undo(operation, before) };
  });
  return taken.ok ? taken.value : { before: { unavailable: taken.message }, undo: null };
}
