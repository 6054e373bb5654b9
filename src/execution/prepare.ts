import { authorise } from "../access/index.ts";
import type { Check } from "../contract/approval.ts";
import type { Ctx } from "../db/ctx.ts";
import { redactTexts } from "../lib/redact.ts";
import type { Operation } from "../operation/index.ts";
import { readThrough } from "./gateway.ts";
import type { GatewayOptions, Resolution } from "./types.ts";

/** What is known of a plan before anyone signs it. `impossible` says why it cannot be carried out at all. */
export type Preparation = { checks: Check[]; impossible: string | null };

function resolutionCheck(resolution: Resolution): Check {
  const name = "target exists";
  switch (resolution.result) {
    case "hit":
      return { name, passed: true, message: "found by its exact name" };
    case "suggestion":
      return { name, passed: false, message: `not found; close to it: ${resolution.names.join(", ")}` };
    case "miss":
    case "error":
      return { name, passed: false, message: resolution.message };
  }
}

/** Resolves the target and dry-runs the operation, through the gateway. Changes nothing, never throws. */
export async function prepareExecution(
  ctx: Ctx,
  input: { incident_id: string; operation: Operation },
  gateway: GatewayOptions,
): Promise<Preparation> {
  authorise(ctx.actor, "prepare executions", { people: "nobody", system: ["pipeline"] });
  const { operation } = input;
  const call = { caller: "planner" as const, ...input };
  const resolved = await readThrough(ctx, gateway, call, "resolve", (executor) =>
    executor.resolve(operation),
  );
  if (!resolved.ok) {
    return {
      checks: [{ name: "target exists", passed: false, message: resolved.message }],
      impossible: null,
    };
  }
  const found = resolutionCheck(resolved.value);
  if (resolved.value.result === "miss" || resolved.value.result === "suggestion") {
    return { checks: [found], impossible: `the target was not found (${found.message})` };
  }
  const dryRun = await readThrough(ctx, gateway, call, "dry-run", (executor) => executor.dryRun(operation));
  const checks = dryRun.ok ? dryRun.value : [{ name: "dry-run", passed: false, message: dryRun.message }];
  return { checks: redactTexts([found, ...checks]), impossible: null };
}

/** The executor's snapshot of what is about to change; empty, with the reason, where it cannot be had. */
export async function takeSnapshot(
  ctx: Ctx,
  input: { incident_id: string; operation: Operation },
  gateway: GatewayOptions,
): Promise<Record<string, unknown>> {
  authorise(ctx.actor, "take snapshots", { people: "nobody", system: ["pipeline"] });
  const call = { caller: "planner" as const, ...input };
  const taken = await readThrough(ctx, gateway, call, "snapshot", (executor) =>
    executor.snapshot(input.operation),
  );
  return taken.ok ? taken.value : { unavailable: taken.message };
}
