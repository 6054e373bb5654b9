import { readFileSync } from "node:fs";
import { join } from "node:path";
import { getTableColumns, getTableName, is } from "drizzle-orm";
import { PgTable } from "drizzle-orm/pg-core";
import { describe, expect, it } from "vitest";
import { configSchema } from "../src/app/config/schema.ts";
import * as schema from "../src/db/schema.ts";
import { columnValues } from "./support/column-values.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../docs/reference/states.md"), "utf8");
const ROWS = PAGE.split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| what") && !line.startsWith("| ---"))
  .map((line) => line.split("|").map((cell) => cell.trim()))
  .map(([, what = "", state = "", , until = "", then = ""]) => ({ what, state, until, then }));

/** The columns that say how far something has come; what is empty in the second kind is still open. */
const STATES = ["status", "state"];
const OUTCOMES = ["outcome", "disposition"];

function statesOf(table: PgTable): string[] {
  const name = getTableName(table);
  const columns = Object.entries(getTableColumns(table));
  const values = (names: string[]) =>
    columns.flatMap(([key, column]) => (names.includes(key) ? columnValues(column) : []));
  const outcomes = values(OUTCOMES);
  const open = outcomes.length > 0 || columns.some(([key]) => key === "routed_at") ? ["open"] : [];
  return [...values(STATES), ...outcomes, ...open].map((state) => `${name} ${state}`);
}

describe("the reference of states", () => {
  const tables = Object.values(schema).filter((one) => is(one, PgTable)) as PgTable[];

  it("has every state of the schema, and no other", () => {
    const known = tables.flatMap(statesOf);
    expect(known.length).toBeGreaterThan(30);
    const shown = ROWS.filter(({ what }) => what !== "workflows").map(
      ({ what, state }) => `${what} ${state}`,
    );
    expect(shown.sort()).toEqual(known.sort());
  });

  it("says of each when it ends and what happens then", () => {
    const silent = ROWS.filter(({ until, then }) => until === "" || (until !== "final" && then === ""));
    expect(silent.filter(({ what }) => what !== "workflows")).toEqual([]);
  });

  it("names settings that there are", () => {
    const config = configSchema.parse({}) as unknown as Record<string, Record<string, unknown>>;
    const named = [...PAGE.matchAll(/`(\w+)\.(\w+)`/g)].map(([, section = "", key = ""]) => [section, key]);
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter(([section = "", key = ""]) => config[section]?.[key] === undefined)).toEqual([]);
  });
});
