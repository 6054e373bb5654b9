import type { Plan } from "./plan.ts";
import { shownOperation } from "./shown.ts";

/** A plan as everybody may see it: each operation without what its names say is secret. */
export function shownPlan(plan: Plan): Plan {
  const { operation, further } = plan;
  const rest = further === undefined ? {} : { further: further.map(shownOperation) };
  return { ...plan, operation: shownOperation(operation), ...rest };
}
