import { type SQL, type SQLWrapper, sql } from "drizzle-orm";

/** Returns `column = any(values)` with one parameter: a statement may have at most 65,535 of them. */
export const oneOf = (column: SQLWrapper, values: readonly (string | number)[]): SQL =>
  sql`${column} = any(${sql.param([...values])})`;
