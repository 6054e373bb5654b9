import { AwoooiError } from "../lib/error.ts";
import { sameSecret } from "./check-sender.ts";

/** The check of senders whose secret is in the body. */
export type RoutingKeyCheck = {
  /** Before the body is read: whether its key will tell who sent it; false: the sender is to be checked otherwise. */
  configured(): boolean;
  /** Throws `unauthenticated` unless `key` is one of those that are configured. */
  of(key: unknown): string;
};

/** Throws `untrusted_sender` where a key is required and none is configured. No key is in what it throws. */
export function routingKeyCheck(keys: readonly string[], required: boolean): RoutingKeyCheck {
  return {
    configured() {
      if (keys.length > 0) return true;
      if (!required) return false;
      const words = "No routing key is configured here, and without one events are refused in production";
      throw new AwoooiError("untrusted_sender", `${words}: set pagerduty.routing_keys.`);
    },
    of(key) {
      // All of them, whichever fits: the time taken tells nothing.
      const fits = typeof key === "string" ? keys.map((one) => sameSecret(key, one)) : [];
      if (fits.includes(true)) return "routing key";
      const words = "The `routing_key` in the body is missing or not one of pagerduty.routing_keys.";
      throw new AwoooiError("unauthenticated", words);
    },
  };
}
