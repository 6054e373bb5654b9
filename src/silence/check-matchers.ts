import type { Matcher } from "../contract/matcher.ts";
import { AwoooiError } from "../lib/error.ts";
import { matchesEverything } from "../lib/matchers.ts";

/** Throws `invalid` for matchers that cannot be read, and for those that fit every alert. */
export function checkMatchers(matchers: readonly Matcher[]): void {
  if (matchers.length > 0 && !matchesEverything(matchers)) return;
  throw new AwoooiError("invalid", "At least one matcher must not match the empty string.", {
    errors: [{ path: "matchers", message: "would silence every alert" }],
  });
}
