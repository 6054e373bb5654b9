import { RE2JS } from "re2js";
import { messageOf } from "./error.ts";

// Bounds what one look at a value costs, whatever was written.
const LONGEST_PATTERN = 1_000;
/** Characters of a value beyond which no pattern is tried. */
export const LONGEST_VALUE = 4_096;

/**
 * A test whether the whole of a value fits the pattern, in RE2's syntax, as Go's `^(?:…)$` does, in time linear in the value:
 * JavaScript's own expressions backtrack, and values come from whoever sends alerts. Throws an error with a sentence for what RE2
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
  // Most are lists of names, for which a look is enough.
  if (/^[\w/@ :-]+(\|[\w/@ :-]+)*$/.test(pattern)) {
    const names = new Set(pattern.split("|"));
    return (value) => names.has(value);
  }
  return (value) => compiled.matches(value);
}
