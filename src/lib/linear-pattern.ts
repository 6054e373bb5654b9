import { RE2JS } from "re2js";
import { messageOf } from "./error.ts";

// Bounds the cost of one match, whatever the pattern.
const LONGEST_PATTERN = 1_000;
/** The length in characters above which callers do not test a value. */
export const LONGEST_VALUE = 4_096;

/**
 * Returns a test whether a whole value matches a pattern in RE2 syntax (Go's `^(?:…)$`), in time linear in the value:
 * JavaScript's own expressions backtrack, and senders choose the values. Throws an error with a sentence for what RE2
 * does not accept, and for a pattern of more than 1,000 characters.
 */
export function linearPattern(pattern: string): (value: string) => boolean {
  if (pattern.length > LONGEST_PATTERN)
    throw new Error(`the pattern is longer than ${LONGEST_PATTERN} characters`);
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(pattern);
  } catch (error) {
    throw new Error(`the pattern is not valid: ${messageOf(error).replace(/^error parsing regexp: /, "")}`);
  }
  // Most patterns are lists of names, for which a look-up in a set is enough.
  if (/^[\w/@ :-]+(\|[\w/@ :-]+)*$/.test(pattern)) {
    const names = new Set(pattern.split("|"));
    return (value) => names.has(value);
  }
  return (value) => compiled.matches(value);
}
