import { type SenderCheck, type SenderChecks, sameSecret, topLevelText } from "../../../intake/index.ts";
import { AwoooiError } from "../../../lib/error.ts";

/**
 * Returns the check of the routing key in the body, from any network; the network check if no key is configured or
 * required. It throws `untrusted_sender` if one is required but none configured, and `unauthenticated` for a wrong key;
 * the errors contain no key.
 */
export function routingKeyCheck(
  keys: readonly string[],
  { network, required }: Pick<SenderChecks, "network" | "required">,
): SenderCheck {
  if (keys.length === 0 && !required) return network;
  return {
    before() {
      if (keys.length > 0) return null;
      const words = "No routing key is configured here, and without one events are refused in production";
      throw new AwoooiError("untrusted_sender", `${words}: set pagerduty.routing_keys.`);
    },
    byBody(body) {
      const key = topLevelText(body, "routing_key");
      // Compare with every key, even after a match, so that the time taken reveals nothing.
      const fits = typeof key === "string" ? keys.map((one) => sameSecret(key, one)) : [];
      if (fits.includes(true)) return "routing key";
      const words = "The `routing_key` in the body is missing or not one of pagerduty.routing_keys.";
      throw new AwoooiError("unauthenticated", words);
    },
  };
}
