import { type SQL, type SQLWrapper, sql } from "drizzle-orm";
import { AwoooiError } from "../lib/error.ts";

/** Where a page ended: its last row's creation time and id. */
export type Cursor = { at: Date; id: string };

function encodeCursor(cursor: Cursor): string {
  return Buffer.from(`${cursor.at.toISOString()} ${cursor.id}`).toString("base64url");
}

const notOurs = () =>
  new AwoooiError("invalid", "The cursor is not one of ours.", {
    errors: [{ path: "cursor", message: "use the next_cursor of the page before" }],
  });

/** Throws `invalid` for text that no answer of ours contained. */
export function decodeCursor(text: string): Cursor {
  const [time = "", id = ""] = Buffer.from(text, "base64url").toString("utf8").split(" ");
  const at = new Date(time);
  if (Number.isNaN(at.getTime()) || !/^[A-Za-z0-9-]+$/.test(id)) throw notOurs();
  return { at, id };
}

/**
 * The rows after the page that ended at `cursor`, of a listing by `at` and `id` from the newest on; without a
 * cursor all of them. Throws `invalid` for text that no answer of ours contained.
 */
export function olderThan(cursor: string | undefined, at: SQLWrapper, id: SQLWrapper): SQL | undefined {
  if (cursor === undefined) return undefined;
  const last = decodeCursor(cursor);
  return sql`(${at}, ${id}) < (${last.at.toISOString()}::timestamptz, ${last.id})`;
}

/** The same where rows are told apart by a number: the text of any other cursor is `invalid` too. */
export function olderThanSeq(cursor: string | undefined, at: SQLWrapper, seq: SQLWrapper): SQL | undefined {
  if (cursor !== undefined && !/^\d{1,15}$/.test(decodeCursor(cursor).id)) throw notOurs();
  return olderThan(cursor, at, seq);
}

/** A page out of `limit + 1` rows: the extra row only tells that there is more. */
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
