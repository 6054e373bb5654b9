import { excerpt, refuse } from "./refused.ts";

/** Returns the whole number that a flag's value is. */
export function wholeNumber(text: string | undefined, name: string): number {
  if (text === undefined) refuse(`${name} is missing`);
  if (!/^\d{1,10}$/.test(text)) refuse(`${name} must be a whole number, not ${excerpt(text)}`);
  return Number(text);
}

/** Splits `name=value`. */
export function nameAndValue(text: string): readonly [string, string] {
  const equals = text.indexOf("=");
  if (equals < 1 || text.startsWith("__proto__=")) refuse(`${excerpt(text)} is not name=value`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}

/** Returns values by name; refuses a name that is given twice, and none at all. */
export function byName(all: readonly (readonly [string, string])[], what: string): Record<string, string> {
  const names = all.map(([name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) refuse(`${excerpt(twice)} is given twice`);
  if (all.length === 0) refuse(`${what} is missing`);
  return Object.fromEntries(all);
}
