// How JSON writes what no PostgreSQL text can hold: a NUL, and half of a surrogate pair.
const UNSTORABLE = /\\u(0000|d[89a-f])/;

const clean = (text: string) => text.replaceAll("\0", "\u{fffd}").toWellFormed();

function storable(_key: string, value: unknown): unknown {
  if (typeof value === "string") return clean(value);
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [clean(key), item]));
}

/**
 * Rows as one parameter for `json_to_recordset`: PostgreSQL reads a thousand rows from it in the time that
 * a statement with a parameter for each value takes to be planned. Text that it cannot hold becomes U+FFFD.
 */
export function jsonRows(rows: readonly object[]): string {
  const text = JSON.stringify(rows);
  return UNSTORABLE.test(text) ? JSON.stringify(rows, storable) : text;
}
