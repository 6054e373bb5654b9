import { createHash } from "node:crypto";
import pg from "pg";
import { AwoooiError } from "../../lib/error.ts";
import type { Connection } from "../client.ts";
import {
  expectedSchema,
  fullName,
  movedTables,
  presentSchema,
  quotedName,
  sequencesOf,
  sqlName,
  type Table,
} from "./catalog.ts";
import { type DumpHead, FORMAT } from "./dump-format.ts";

/** Session settings under which values are written so that any PostgreSQL from 15 on reads them back unchanged. */
export const DUMP_SETTINGS = [
  "set local datestyle = 'ISO, YMD'",
  "set local timezone = 'UTC'",
  "set local intervalstyle = 'postgres'",
  "set local extra_float_digits = 1",
  "set local statement_timeout = 0",
  "set local idle_in_transaction_session_timeout = 0",
].join("; ");

// Rows of at most this many bytes are fetched FETCH at a time, larger ones one by one, to bound memory.
const SMALL = 16_384;
const FETCH = 500;
// The size in characters at which lines are yielded.
const CHUNK = 65_536;

/** Opens a connection without a query timeout, for reading or writing the whole database. */
export async function openClient(connection: Connection, application_name: string): Promise<pg.Client> {
  const target = "url" in connection ? { connectionString: connection.url } : connection;
  const client = new pg.Client({
    ...target,
    application_name,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
  });
  // A lost connection shows as the error of the next query.
  client.on("error", () => {});
  await client.connect();
  return client;
}

const value = ({ name, type }: Table["columns"][number]) =>
  type === "bytea"
    ? `translate(encode(${quotedName(name)}, 'base64'), e'\\n', '')`
    : `${quotedName(name)}::text`;

/** Returns SQL for the approximate size of a row; neither function reads values that are stored out of line. */
function width({ columns }: Table): string {
  const sizes = columns
    .filter((column) => column.wide)
    .map(({ name, type }) => {
      const size = type === "text" || type === "bytea" ? "octet_length" : "pg_column_size";
      return `coalesce(${size}(${quotedName(name)}), 0)`;
    });
  return ["0", ...sizes].join(" + ");
}

async function* rowsOf(client: pg.Client, table: Table): AsyncGenerator<string[]> {
  const line = `json_build_array(${table.columns.map(value).join(", ")})::text as line`;
  for (const [condition, count] of [
    [`<= ${SMALL}`, FETCH],
    [`> ${SMALL}`, 1],
  ] as const) {
    await client.query(
      `declare rows no scroll cursor for select ${line} from ${sqlName(table)} where ${width(table)} ${condition}`,
    );
    for (;;) {
      const { rows } = await client.query<{ line: string }>(`fetch ${count} from rows`);
      if (rows.length === 0) break;
      yield rows.map((row) => row.line);
    }
    await client.query("close rows");
  }
}

async function headOf(client: pg.Client, about: { version: string; now: Date }): Promise<DumpHead> {
  const schema = await presentSchema(client);
  if (schema === null)
    throw new AwoooiError("not_found", "There is no installation in this database: nothing to export.");
  const expected = expectedSchema();
  if (schema.latest !== expected.latest) {
    throw new AwoooiError(
      "conflict",
      `The database is of another version (${schema.migrations} migrations, this one has ${expected.migrations}): ` +
        "export it with the version that served it last, or start this version's server on it once.",
    );
  }
  const { version, now } = about;
  return { awoooi_export: FORMAT, created_at: now.toISOString(), version, schema };
}

/**
 * Yields the whole installation as text, from one snapshot, without blocking writers. `onEnd` is called with
 * the number of rows of each table. Throws `not_found` without an installation, `conflict` for another version.
 */
export async function* dump(
  client: pg.Client,
  about: { version: string; now: Date },
  onEnd: (tables: Record<string, number>) => void,
): AsyncGenerator<string> {
  const hash = createHash("sha256");
  const text = (lines: readonly string[]) => {
    const all = `${lines.join("\n")}\n`;
    hash.update(all);
    return all;
  };
  await client.query("begin isolation level repeatable read read only");
  await client.query(DUMP_SETTINGS);
  yield text([JSON.stringify(await headOf(client, about))]);
  const tables = await movedTables(client);
  const counts: Record<string, number> = {};
  for (const table of tables) {
    const name = fullName(table);
    counts[name] = 0;
    let pending = [JSON.stringify({ table: name, columns: table.columns.map((column) => column.name) })];
    let size = 0;
    for await (const lines of rowsOf(client, table)) {
      counts[name] += lines.length;
      for (const line of lines) {
        pending.push(line);
        size += line.length;
        if (size < CHUNK) continue;
        yield text(pending);
        pending = [];
        size = 0;
      }
    }
    if (pending.length > 0) yield text(pending);
  }
  // After the rows: sequences are not part of the snapshot, and their values must not be behind its rows.
  const used = [...(await sequencesOf(client, tables))].filter(([, at]) => at !== null);
  const sequences = Object.fromEntries(used);
  await client.query("commit");
  yield `${JSON.stringify({ tables: counts, sequences, sha256: hash.digest("hex") })}\n`;
  onEnd(counts);
}
