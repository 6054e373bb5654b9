import { canonicalJson, sha256 } from "../lib/canonical-json.ts";
import type { Operation } from "../operation/index.ts";
import type { Executor } from "./types.ts";

/**
 * Names all that is configured of what an operation does, and to what; null where nothing is. 64 bits: enough to tell
 * configurations apart, too few to find a secret out by trying.
 */
export function configuredAs(executors: readonly Executor[], operation: Operation): string | null {
  const executor = executors.find((one) => one.kinds.includes(operation.kind));
  const configuration = executor?.configuration?.(operation);
  if (configuration === undefined) return null;
  // As it is written: what is not set is not there.
  return sha256(canonicalJson(JSON.parse(JSON.stringify(configuration)))).slice(0, 16);
}
