import type { Check } from "../../contract/approval.ts";
import type { Ctx } from "../../db/ctx.ts";
import { inWords, type Operation } from "../../operation/index.ts";
import type { Gateway } from "../types.ts";
import { type Preparation, prepareExecution } from "./prepare.ts";

/** What is known about all steps of a plan before anyone signs it. */
export type PlanPreparation = Omit<Preparation, "operation"> & {
  /** The operations of all steps, with their open parameters filled in. */
  operations: Operation[];
  /** `belongs_to` of each step, in order. */
  owners?: readonly (readonly string[])[];
};

/** Prepares each step of a plan against the current state: what earlier steps would change is not considered. */
export async function preparePlan(
  ctx: Ctx,
  input: { incident_id: string; operations: readonly Operation[] },
  gateway: Gateway,
): Promise<PlanPreparation> {
  const { incident_id, operations } = input;
  const many = operations.length > 1;
  const steps: Preparation[] = [];
  for (const operation of operations)
    steps.push(await prepareExecution(ctx, { incident_id, operation }, gateway));
  const named = (check: Check, at: number): Check =>
    many ? { ...check, name: `step ${at + 1}: ${check.name}` } : check;
  const diffs = steps.flatMap(({ diff, operation }, at) =>
    diff === null ? [] : many ? [`# Step ${at + 1}: ${inWords(operation)}\n${diff}`] : [diff],
  );
  const owners = steps.map((one) => one.belongs_to ?? []);
  return {
    operations: steps.map((one) => one.operation),
    belongs_to: [...new Set(owners.flat())],
    owners,
    checks: steps.flatMap((one, at) => one.checks.map((check) => named(check, at))),
    diff: diffs.length === 0 ? null : diffs.join("\n"),
    affected_pods: steps.reduce((sum, one) => sum + one.affected_pods, 0),
    impossible: steps.find((one) => one.impossible !== null)?.impossible ?? null,
  };
}
