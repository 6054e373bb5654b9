import { getTableName, is } from "drizzle-orm";
import { readMigrationFiles } from "drizzle-orm/migrator";
import { PgTable } from "drizzle-orm/pg-core";
import type pg from "pg";
import { MIGRATIONS } from "../migrate.ts";
import * as schema from "../schema.ts";
import type { SchemaVersion } from "./dump-format.ts";

type Column = {
  name: string;
  /** The SQL type, as used in a cast. */
  type: string;
  /** Whether its values have a variable length. */
  wide: boolean;
};
export type Table = { schema: string; name: string; columns: Column[] };

// Not exported: the workflow engine's own migrations, and the number of servers that this database has had.
const NOT_MOVED = ["dbos.dbos_migrations", "public.server_epoch"];

export const fullName = (table: Table) => `${table.schema}.${table.name}`;
export const quotedName = (name: string) => `"${name.replaceAll('"', '""')}"`;
export const sqlName = (table: Table) => `${quotedName(table.schema)}.${quotedName(table.name)}`;

/** Returns the names of our own tables, by the schema of this version. */
const ownTables = () =>
  Object.values(schema)
    .filter((value) => is(value, PgTable))
    .map((table) => getTableName(table as PgTable));

/** Returns the schema version of this program, without `workflows`, which only the workflow engine knows. */
export function expectedSchema(): Omit<SchemaVersion, "workflows"> {
  const migrations = readMigrationFiles({ migrationsFolder: MIGRATIONS });
  return { migrations: migrations.length, latest: migrations.at(-1)?.hash ?? "" };
}

/** Reads the schema version of a database; null if it has no tables of ours. */
export async function presentSchema(client: pg.Client): Promise<SchemaVersion | null> {
  const { rows: found } = await client.query<{ ours: boolean; engine: boolean }>(
    `select to_regclass('public.schema_migrations') is not null as ours,
            to_regclass('dbos.dbos_migrations') is not null as engine`,
  );
  if (found[0]?.ours !== true) return null;
  const { rows } = await client.query<{ hash: string }>(
    "select hash from public.schema_migrations order by created_at",
  );
  const engine = found[0].engine
    ? await client.query<{ version: string }>("select version from dbos.dbos_migrations")
    : { rows: [] };
  const workflows = engine.rows[0] === undefined ? null : Number(engine.rows[0].version);
  return { migrations: rows.length, latest: rows.at(-1)?.hash ?? "", workflows };
}

/** Returns every table of an installation, each after the tables that its foreign keys refer to. */
export async function movedTables(client: pg.Client): Promise<Table[]> {
  const { rows } = await client.query<{ schema: string; table: string } & Column>(
    `select n.nspname as schema, c.relname as table, a.attname as name,
            format_type(a.atttypid, a.atttypmod) as type, t.typlen = -1 as wide
       from pg_class c
       join pg_namespace n on n.oid = c.relnamespace
       join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
       join pg_type t on t.oid = a.atttypid
      where c.relkind = 'r' and (n.nspname = 'dbos' or n.nspname = 'public' and c.relname = any($1))
      order by 1, 2, a.attnum`,
    [ownTables()],
  );
  const tables = new Map<string, Table>();
  for (const { schema, table: name, ...column } of rows) {
    const table = tables.get(`${schema}.${name}`) ?? { schema, name, columns: [] };
    tables.set(`${schema}.${name}`, table);
    table.columns.push(column);
  }
  for (const name of NOT_MOVED) tables.delete(name);
  return ordered(tables, await references(client));
}

async function references(client: pg.Client): Promise<Map<string, string[]>> {
  const { rows } = await client.query<{ from: string; to: string }>(
    `select fn.nspname || '.' || f.relname as from, tn.nspname || '.' || t.relname as to
       from pg_constraint k
       join pg_class f on f.oid = k.conrelid join pg_namespace fn on fn.oid = f.relnamespace
       join pg_class t on t.oid = k.confrelid join pg_namespace tn on tn.oid = t.relnamespace
      where k.contype = 'f' and k.conrelid <> k.confrelid`,
  );
  const to = new Map<string, string[]>();
  for (const row of rows) to.set(row.from, [...(to.get(row.from) ?? []), row.to]);
  return to;
}

function ordered(tables: ReadonlyMap<string, Table>, refersTo: ReadonlyMap<string, string[]>): Table[] {
  const placed = new Set<string>();
  const order: Table[] = [];
  const place = (name: string) => {
    const table = tables.get(name);
    if (table === undefined || placed.has(name)) return;
    placed.add(name);
    for (const other of refersTo.get(name) ?? []) place(other);
    order.push(table);
  };
  for (const name of tables.keys()) place(name);
  return order;
}

/** Returns the last value of each sequence of these tables; null for one that was never used. */
export async function sequencesOf(
  client: pg.Client,
  tables: readonly Table[],
): Promise<Map<string, number | null>> {
  const { rows } = await client.query<{ name: string; value: string | null }>(
    `select s.schemaname || '.' || s.sequencename as name, s.last_value as value
       from pg_sequences s
       join pg_class c on c.oid = format('%I.%I', s.schemaname, s.sequencename)::regclass
       join pg_depend d on d.objid = c.oid and d.classid = 'pg_class'::regclass and d.deptype in ('a', 'i')
       join pg_class t on t.oid = d.refobjid
       join pg_namespace n on n.oid = t.relnamespace
      where n.nspname || '.' || t.relname = any($1)`,
    [tables.map(fullName)],
  );
  return new Map(rows.map(({ name, value }) => [name, value === null ? null : Number(value)]));
}
