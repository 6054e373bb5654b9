import { type SenderCheck, type SenderChecks, sameSecret, topLevelText } from "../../../intake/index.ts";
import { AwoooiError } from "../../../lib/error.ts";

/**
 * By the routing key in the body, from whatever network; where none is configured and none is needed, as any sender.
 * Throws `untrusted_sender` where one is required and none is configured, and `unauthenticated` for one that is not right:
 * no key is in what it throws.
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
      // All of them, whichever fits: the time taken tells nothing.
      const fits = typeof key === "string" ? keys.map((one) => sameSecret(key, one)) : [];
      if (fits.includes(true)) return "routing key";
      const words = "The `routing_key` in the body is missing or not one of pagerduty.routing_keys.";
      throw new AwoooiError("unauthenticated", words);
    },
  };
}
