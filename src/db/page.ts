import { type SQL, type SQLWrapper, sql } from "drizzle-orm";
import { AwoooiError } from "../lib/error.ts";

/** The end of a page: creation time and id of its last row. */
export type Cursor = { at: Date; id: string };

function encodeCursor(cursor: Cursor): string {
  return Buffer.from(`${cursor.at.toISOString()} ${cursor.id}`).toString("base64url");
}

const notOurs = () =>
  new AwoooiError("invalid", "The cursor is not valid.", {
    errors: [{ path: "cursor", message: "use the next_cursor of the previous page" }],
  });

/** Parses a cursor. Throws `invalid` for text that is not one of our cursors. */
export function decodeCursor(text: string): Cursor {
  const [time = "", id = ""] = Buffer.from(text, "base64url").toString("utf8").split(" ");
  const at = new Date(time);
  if (Number.isNaN(at.getTime()) || !/^[A-Za-z0-9-]+$/.test(id)) throw notOurs();
  return { at, id };
}

/**
 * Returns the condition for the rows after `cursor` in a listing by `at` and `id`, newest first; undefined without a
 * cursor. Throws `invalid` for text that is not one of our cursors.
 */
export function olderThan(cursor: string | undefined, at: SQLWrapper, id: SQLWrapper): SQL | undefined {
  if (cursor === undefined) return undefined;
  const last = decodeCursor(cursor);
  return sql`(${at}, ${id}) < (${last.at.toISOString()}::timestamptz, ${last.id})`;
}

/** Like {@link olderThan} for rows with a numeric id: a cursor with another kind of id is `invalid` too. */
export function olderThanSeq(cursor: string | undefined, at: SQLWrapper, seq: SQLWrapper): SQL | undefined {
  if (cursor !== undefined && !/^\d{1,15}$/.test(decodeCursor(cursor).id)) throw notOurs();
  return olderThan(cursor, at, seq);
}

/** Makes a page of up to `limit + 1` rows that were read: the extra row only shows that there are more. */
export function pageOf<Row>(
  rows: readonly Row[],
  limit: number,
  cursorOf: (row: Row) => Cursor,
): { rows: Row[]; next_cursor: string | null } {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const next_cursor = rows.length > limit && last !== undefined ? encodeCursor(cursorOf(last)) : null;
  return { rows: page, next_cursor };
}
