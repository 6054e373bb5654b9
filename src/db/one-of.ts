import { type SQL, type SQLWrapper, sql } from "drizzle-orm";

/** `column` is one of `values`: one parameter, however many there are. PostgreSQL takes 65,535 in a statement. */
export const oneOf = (column: SQLWrapper, values: readonly (string | number)[]): SQL =>
  sql`${column} = any(${sql.param([...values])})`;
