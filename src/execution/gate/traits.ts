import { type Operation, type Traits, traitsOf } from "../../operation/index.ts";
import type { Executor } from "../types.ts";

/** Returns an operation's traits: its kind's, overridden by its executor's. Undefined when no executor offers it. */
export function traitsFor(executors: readonly Executor[], operation: Operation): Traits | undefined {
  const executor = executors.find((one) => one.kinds.includes(operation.kind));
  if (executor === undefined) return undefined;
  if (executor.traits === undefined) return traitsOf(operation);
  const own = executor.traits(operation);
  return own && { ...traitsOf(operation), ...own };
}
