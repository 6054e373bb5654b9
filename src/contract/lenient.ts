import { z } from "zod";

/** What PostgreSQL can hold: no NUL, no half of a surrogate pair. */
export const storable = (text: string) =>
  text.isWellFormed() && !text.includes("\0") ? text : text.replaceAll("\0", "\u{fffd}").toWellFormed();

/** Any JSON value as text: strings as they are, the rest as JSON. */
export function asText(value: unknown): string {
  if (typeof value === "string") return storable(value);
  try {
    return storable(JSON.stringify(value));
  } catch {
    return "(nested too deeply)";
  }
}

/** Values of any type as text: senders that build bodies by hand put numbers and booleans there. */
function textsOf(value: unknown): Record<string, string> {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return {};
  const entries: [string, string][] = [];
  for (const [key, item] of Object.entries(value)) {
    if (item !== null && item !== undefined) entries.push([storable(key), asText(item)]);
  }
  // Not by assignment: a key may be `__proto__`.
  return Object.fromEntries(entries);
}

/** A field of any type that may be missing: to zod a missing key is an error unless it has a default. */
export const anything = z.unknown().default(null);

/** Labels or annotations; none of them where there is no object. */
export const texts = anything.transform(textsOf);

/** A time; null for Go's zero time, for whatever cannot be read, and for what no database can hold. */
export const time = anything.transform((value): Date | null => {
  if (typeof value !== "string") return null;
  const date = new Date(value);
  const year = date.getUTCFullYear();
  return Number.isNaN(date.getTime()) || year < 1971 || year > 9999 ? null : date;
});

/** Text that is not empty; null for everything else. */
export const optionalText = anything.transform((value) =>
  typeof value === "string" && value ? storable(value) : null,
);

/** A value of any type as text; null for none, and for blank text. */
export const anyText = anything.transform((value) => {
  const text = value === null ? "" : asText(value).trim();
  return text === "" ? null : text;
});
