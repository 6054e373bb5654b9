import { redactedOperation } from "./operation.ts";
import type { Plan } from "./plan.ts";

/** A plan as everybody may see it: each operation without what its names say is secret. */
export function redactedPlan(plan: Plan): Plan {
  const { operation, further } = plan;
  const rest = further === undefined ? {} : { further: further.map(redactedOperation) };
  return { ...plan, operation: redactedOperation(operation), ...rest };
}
