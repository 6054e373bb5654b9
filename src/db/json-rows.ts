// JSON escapes of what a PostgreSQL text cannot hold: NUL, and half of a surrogate pair.
const UNSTORABLE = /\\u(0000|d[89a-f])/;

const clean = (text: string) => text.replaceAll("\0", "\u{fffd}").toWellFormed();

function storable(_key: string, value: unknown): unknown {
  if (typeof value === "string") return clean(value);
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [clean(key), item]));
}

/**
 * Returns rows as one parameter for `json_to_recordset`: PostgreSQL reads a thousand rows from it in the time
 * in which it plans a statement with a parameter per value. Characters that it cannot store become U+FFFD.
 */
export function jsonRows(rows: readonly object[]): string {
  const text = JSON.stringify(rows);
  return UNSTORABLE.test(text) ? JSON.stringify(rows, storable) : text;
}
