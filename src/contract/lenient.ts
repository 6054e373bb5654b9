import { z } from "zod";

/** Returns text that PostgreSQL can store: NUL and lone surrogates are replaced by U+FFFD. */
export const storable = (text: string) =>
  text.isWellFormed() && !text.includes("\0") ? text : text.replaceAll("\0", "\u{fffd}").toWellFormed();

/** Returns any JSON value as text: strings as they are, other values as JSON. */
export function asText(value: unknown): string {
  if (typeof value === "string") return storable(value);
  try {
    return storable(JSON.stringify(value));
  } catch {
    return "(nested too deeply)";
  }
}

/** Returns an object's values as text: senders that build bodies by hand put numbers and booleans there. */
function textsOf(value: unknown): Record<string, string> {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return {};
  const entries: [string, string][] = [];
  for (const [key, item] of Object.entries(value)) {
    if (item !== null && item !== undefined) entries.push([storable(key), asText(item)]);
  }
  // `fromEntries` rather than assignment, because a key may be `__proto__`.
  return Object.fromEntries(entries);
}

/** A field of any type that may be missing: zod rejects a missing key unless it has a default. */
export const anyValue = z.unknown().default(null);

/** Labels or annotations; empty where the value is not an object. */
export const texts = anyValue.transform(textsOf);

/** A time; null for Go's zero time, for text that cannot be parsed, and for years outside 1971 to 9999. */
export const time = anyValue.transform((value): Date | null => {
  if (typeof value !== "string") return null;
  const date = new Date(value);
  const year = date.getUTCFullYear();
  return Number.isNaN(date.getTime()) || year < 1971 || year > 9999 ? null : date;
});

/** Text that is not empty; null for everything else. */
export const optionalText = anyValue.transform((value) =>
  typeof value === "string" && value ? storable(value) : null,
);

/** A value of any type as text; null for null, a missing value and blank text. */
export const anyText = anyValue.transform((value) => {
  const text = value === null ? "" : asText(value).trim();
  return text === "" ? null : text;
});
