import { redactedOperation } from "./operation.ts";
import type { Plan } from "./plan.ts";

/** Returns a plan for display: each operation without values whose names mark them as secret. */
export function redactedPlan(plan: Plan): Plan {
  const { operation, further } = plan;
  const rest = further === undefined ? {} : { further: further.map(redactedOperation) };
  return { ...plan, operation: redactedOperation(operation), ...rest };
}
