import { createHash } from "node:crypto";
import type pg from "pg";
import type { z } from "zod";
import { AwoooiError, messageOf } from "../../lib/error.ts";
import { isUnavailable } from "../failure.ts";
import { renameOldValues } from "../old-values.ts";
import {
  fullName,
  movedTables,
  presentSchema,
  quotedName,
  sequencesOf,
  sqlName,
  type Table,
} from "./catalog.ts";
import { DUMP_SETTINGS } from "./dump.ts";
import { type DumpHead, dumpEnd, dumpHead, dumpTable, FORMAT } from "./dump-format.ts";

// An insert is sent at this many rows or characters, whichever is reached first.
const ROWS = 500;
const BYTES = 1_048_576;
// Longer than the row of the largest body that can be received: no export has a longer line.
const LONGEST_LINE = 400 * 1_048_576;
// The workflow engine inserts rows when it creates this schema; they are replaced by those of the file.
const ENGINE = "dbos";

const damaged = (why: string, cause?: unknown) =>
  new AwoooiError("invalid", `The file is not a complete export: ${why}. Nothing was imported.`, { cause });

function parse<T extends z.ZodType>(schema: T, line: string, what: string): z.infer<T> {
  try {
    return schema.parse(JSON.parse(line));
  } catch (error) {
    throw damaged(`${what} cannot be read`, error);
  }
}

/** Yields lines without their line feeds. Their length is bounded, so that a forged file cannot fill the memory. */
async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      yield Buffer.concat([...rest, chunk.subarray(from, end)]).toString("utf8");
      from = end + 1;
      rest = [];
      size = 0;
    }
    rest.push(chunk.subarray(from));
    size += chunk.length - from;
    if (size > LONGEST_LINE) throw damaged("a line is too long");
  }
  if (size > 0) throw damaged("it ends within a line");
}

/** Throws `conflict` if the database already has rows of an installation. */
export async function assertEmpty(client: pg.Client): Promise<void> {
  const found: string[] = [];
  for (const table of await movedTables(client)) {
    if (table.schema === ENGINE && table.name !== "workflow_status") continue;
    const { rows } = await client.query<{ n: string }>(
      `select count(*) as n from (select from ${sqlName(table)} limit 1000) t`,
    );
    if (rows[0]?.n !== "0")
      found.push(`${table.name} (${rows[0]?.n}${rows[0]?.n === "1000" ? " or more" : ""})`);
  }
  if (found.length === 0) return;
  throw new AwoooiError(
    "conflict",
    `There is already an installation here: ${found.join(", ")}. An import makes a new one: choose another data ` +
      "directory or database, and import before its server is started for the first time.",
  );
}

function assertFits(head: DumpHead, schema: Awaited<ReturnType<typeof presentSchema>>): void {
  if (head.awoooi_export !== FORMAT)
    throw new AwoooiError(
      "conflict",
      `The file has format ${head.awoooi_export}, and this version reads ${FORMAT}.`,
    );
  const { latest, workflows } = head.schema;
  if (schema?.latest === latest && (workflows === null || schema.workflows === workflows)) return;
  throw new AwoooiError(
    "conflict",
    `The file was made by version ${head.version} with other tables (${head.schema.migrations} migrations, workflows ` +
      `${workflows}; here ${schema?.migrations} and ${schema?.workflows}): import it with that version, or start this ` +
      "version's server on the old database once and export again.",
  );
}

/** Inserts the rows of one table in batches. */
class Target {
  readonly #client: pg.Client;
  readonly #insert: string;
  #lines: string[] = [];
  #size = 0;
  count = 0;

  constructor(client: pg.Client, table: Table, columns: readonly string[]) {
    const types = new Map(table.columns.map(({ name, type }) => [name, type]));
    if (columns.length !== types.size || !columns.every((name) => types.has(name)))
      throw damaged(`${table.name} has different columns here`);
    const values = columns.map((name, at) =>
      types.get(name) === "bytea" ? `decode(r->>${at}, 'base64')` : `(r->>${at})::${types.get(name)}`,
    );
    this.#client = client;
    this.#insert =
      `insert into ${sqlName(table)} (${columns.map(quotedName).join(", ")}) overriding system value ` +
      `select ${values.join(", ")} from json_array_elements($1::json) as rows(r)`;
  }

  async add(line: string): Promise<void> {
    this.#lines.push(line);
    this.#size += line.length;
    if (this.#lines.length >= ROWS || this.#size >= BYTES) await this.flush();
  }

  async flush(): Promise<void> {
    const lines = this.#lines;
    if (lines.length === 0) return;
    this.#lines = [];
    this.#size = 0;
    const { rowCount } = await this.#client.query(this.#insert, [`[${lines.join(",")}]`]);
    if (rowCount !== lines.length) throw damaged("a line does not contain one row");
    this.count += lines.length;
  }
}

async function continueSequences(
  client: pg.Client,
  tables: readonly Table[],
  values: Readonly<Record<string, number>>,
): Promise<void> {
  const ours = await sequencesOf(client, tables);
  for (const [name, at] of Object.entries(values)) {
    if (!ours.has(name)) throw damaged(`there is no sequence ${name}`);
    await client.query("select setval($1::regclass, $2::bigint)", [name, at]);
  }
}

async function restoreRows(
  client: pg.Client,
  tables: ReadonlyMap<string, Table>,
  lines: AsyncIterator<string>,
  hash: ReturnType<typeof createHash>,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  let target: Target | undefined;
  let name = "";
  const close = async () => {
    await target?.flush();
    if (target !== undefined) counts[name] = target.count;
  };
  for (;;) {
    const { value: line, done } = await lines.next();
    if (done) throw damaged("its end is missing");
    if (line.startsWith("[") && target !== undefined) {
      hash.update(`${line}\n`);
      await target.add(line);
    } else if (line.startsWith('{"tables"')) {
      await close();
      const end = parse(dumpEnd, line, "its end");
      if (end.sha256 !== hash.digest("hex")) throw damaged("its checksum does not match");
      if (JSON.stringify(sorted(end.tables)) !== JSON.stringify(sorted(counts)))
        throw damaged("it does not contain all rows");
      if (!(await lines.next()).done) throw damaged("something comes after its end");
      await continueSequences(client, [...tables.values()], end.sequences);
      return counts;
    } else {
      await close();
      hash.update(`${line}\n`);
      const { table: next, columns } = parse(dumpTable, line, "a line");
      const table = tables.get(next);
      if (table === undefined || counts[next] !== undefined) throw damaged(`${next} is not expected there`);
      name = next;
      target = new Target(client, table, columns);
    }
  }
}

const sorted = (counts: Record<string, number>) =>
  Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1));

/**
 * Restores the dump in `chunks` into an empty, migrated database: all of it or nothing, in one transaction
 * that commits once the end and its checksum have been verified. Throws `invalid` for an incomplete dump
 * and `conflict` for one that does not fit this version or a database that is not empty. Returns rows by table.
 */
export async function restore(
  client: pg.Client,
  chunks: AsyncIterable<Buffer>,
): Promise<{ head: DumpHead; tables: Record<string, number> }> {
  const tables = await movedTables(client);
  await client.query("begin");
  try {
    await client.query(DUMP_SETTINGS);
    await assertEmpty(client);
    const lines = linesOf(chunks);
    const first = await lines.next();
    if (first.done) throw damaged("it is empty");
    const hash = createHash("sha256").update(`${first.value}\n`);
    const head = parse(dumpHead, first.value, "its beginning");
    assertFits(head, await presentSchema(client));
    for (const table of tables.toReversed())
      if (table.schema === ENGINE) await client.query(`delete from ${sqlName(table)}`);
    const byName = new Map(tables.map((table) => [fullName(table), table]));
    const counts = await restoreRows(client, byName, lines, hash);
    await renameOldValues(client);
    await client.query("commit");
    return { head, tables: counts };
  } catch (error) {
    await client.query("rollback").catch(() => {});
    if (error instanceof AwoooiError || isUnavailable(error)) throw error;
    throw damaged(messageOf(error), error);
  }
}
