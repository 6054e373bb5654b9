import type { Risk } from "../contract/common.ts";
import type { OperationTarget } from "../contract/incident.ts";
import { OWN_TARGET, type PlaybookStep } from "../contract/playbook.ts";
import { type Operation, operation } from "../operation/index.ts";

/** Returns the operations of a playbook on this target, in order; null where one of them cannot act on it. Pure. */
export function operationsOf(
  steps: readonly PlaybookStep[],
  own: OperationTarget | null,
): [Operation, ...Operation[]] | null {
  const operations: Operation[] = [];
  for (const { operation: kind, target, parameters } of steps) {
    const parsed = operation.safeParse({ kind, target: target === OWN_TARGET ? own : target, parameters });
    if (!parsed.success) return null;
    operations.push(parsed.data);
  }
  const [first, ...then] = operations;
  return first === undefined ? null : [first, ...then];
}

const RISKS: readonly Risk[] = ["low", "medium", "high", "critical"];

/** Returns the greater of two risks. */
export function worseRisk(one: Risk, other: Risk): Risk {
  return RISKS.indexOf(one) > RISKS.indexOf(other) ? one : other;
}

/** Returns the risk of all steps together: that of the riskiest. */
export function riskOf(steps: readonly PlaybookStep[]): Risk {
  return steps.map((one) => one.risk).reduce(worseRisk, "low");
}
