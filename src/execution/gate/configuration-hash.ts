import { canonicalJson, sha256 } from "../../lib/canonical-json.ts";
import type { Operation } from "../../operation/index.ts";
import type { Executor } from "../types.ts";

/**
 * Returns a hash of all configuration that determines what an operation does and to which target; null where there is
 * none. 64 bits: enough to tell configurations apart, too few to confirm a guessed secret.
 */
export function configurationHash(executors: readonly Executor[], operation: Operation): string | null {
  const executor = executors.find((one) => one.kinds.includes(operation.kind));
  const configuration = executor?.configuration?.(operation);
  if (configuration === undefined) return null;
  // The JSON round trip drops properties that are undefined.
  return sha256(canonicalJson(JSON.parse(JSON.stringify(configuration)))).slice(0, 16);
}
