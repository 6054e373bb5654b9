/**
 * The SQL that the suite ran on each PostgreSQL, as the servers themselves counted it. Only some files run on the
 * oldest that we support too (`vitest.config.ts`); run as a command after the suite, this says which statements
 * none of them has brought there, and which of the other files would.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";

/** Settings of a server that counts its statements. */
export const WATCH_STATEMENTS = {
  shared_preload_libraries: "pg_stat_statements",
  "pg_stat_statements.max": "100000",
  "pg_stat_statements.track_utility": "off",
  "pg_stat_statements.save": "off",
};

const FOLDER = join(import.meta.dirname, "../../.vitest");
const fileOf = (project: string) => join(FOLDER, `statements-${project}.json`);

/** Each statement with the test files that ran it. */
type Statements = Record<string, string[]>;

/** Without what differs from call to call: numbers of parameters, and how many rows or values there are. */
export function shapeOf(statement: string): string {
  return (
    statement
      .replace(/--.*$/gm, "")
      .replace(/\s+/g, " ")
      // How newer servers shorten lists of constants.
      .replaceAll(" /*, ... */", ", $")
      .replace(/\$\d+/g, "$")
      .replace(/(\$|default)( ?, ?(\$|default)(?=[ ,)]))+/g, "$, …")
      .replace(/(\(\$(, …)?\))( ?, ?\(\$(, …)?\))+/g, "$1, …")
      .trim()
  );
}

/** Who asks what tests ask themselves: that is not SQL of ours. */
const TESTER = "tester";

/** The same database for the test itself. */
export const asTester = (url: string) => url.replace(/\/\/[^@]*@/, `//${TESTER}:${TESTER}@`);

/** Makes the server of the run tell its statements by the test files that they are of. */
export async function prepareStatements(admin: pg.Pool): Promise<void> {
  await admin.query("create extension pg_stat_statements");
  await admin.query("create table test_files (database oid, file text)");
  await admin.query(`create role ${TESTER} superuser login password '${TESTER}'`);
}

/** Says that what runs in the database `name` is the doing of this test file. */
export async function noteFile(admin: pg.Pool, name: string, file: string): Promise<void> {
  await admin.query("insert into test_files select oid, $2 from pg_database where datname = $1", [
    name,
    file,
  ]);
}

/** Writes down what the server has counted. */
export async function keepStatements(admin: pg.Pool, project: string): Promise<void> {
  const { rows } = await admin.query<{ query: string; files: string[] }>(
    `select query, array_agg(distinct file) files
       from pg_stat_statements join test_files on database = dbid
      where toplevel and userid <> (select oid from pg_roles where rolname = $1) group by query`,
    [TESTER],
  );
  const statements: Statements = {};
  for (const { query, files } of rows) {
    const shape = shapeOf(query);
    statements[shape] = [...new Set([...(statements[shape] ?? []), ...files])].sort();
  }
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(fileOf(project), JSON.stringify(statements, null, 1));
}

function read(project: string): Statements {
  return JSON.parse(readFileSync(fileOf(project), "utf8")) as Statements;
}

/** The fewest files that bring all of these statements, nearly: the one that brings most is taken first. */
function bringing(missing: ReadonlyMap<string, readonly string[]>): string[] {
  const left = new Map(missing);
  const chosen: string[] = [];
  while (left.size > 0) {
    const counts = new Map<string, number>();
    for (const files of left.values())
      for (const file of files) counts.set(file, (counts.get(file) ?? 0) + 1);
    const [best] = [...counts].sort(([, one], [, other]) => other - one)[0] ?? [];
    if (best === undefined) break;
    chosen.push(`${best} (${counts.get(best)})`);
    for (const [statement, files] of left) if (files.includes(best)) left.delete(statement);
  }
  return chosen;
}

/**
 * Says what ran on the newest server only; false where there is any. What a file did on one server and not on the
 * other, where it ran too, is a matter of chance, as when two race: no choice of files would mend it.
 */
function compare(newest: string, oldest: string): boolean {
  const onNewest = Object.entries(read(newest));
  const there = read(oldest);
  const onOldest = new Set(Object.keys(there));
  const onBoth = new Set(Object.values(there).flat());
  const missing = new Map(
    onNewest.filter(
      ([statement, files]) => !onOldest.has(statement) && !files.some((file) => onBoth.has(file)),
    ),
  );
  const count = `${onNewest.length} statements ran on ${newest}, ${onOldest.size} on ${oldest}`;
  if (missing.size === 0 && onNewest.length > 0) {
    process.stdout.write(`${count}: none on the newest only.\n`);
    return true;
  }
  for (const [statement, files] of missing)
    process.stderr.write(`only on ${newest}, by ${files.join(", ")}:\n  ${statement}\n`);
  process.stderr.write(`${count}; ${missing.size} on the newest only. Files that would bring them:\n`);
  for (const file of bringing(missing)) process.stderr.write(`  ${file}\n`);
  return false;
}

if (import.meta.main) {
  if (process.env.AWOOOI_TEST_DATABASE_URL !== undefined)
    process.stdout.write("Statements are not compared: everything ran on the one server that was given.\n");
  else if (!compare("postgresql-18", "postgresql-15")) process.exitCode = 1;
}
