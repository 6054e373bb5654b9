import { sql } from "drizzle-orm";
import type pg from "pg";
import type { Ctx } from "./ctx.ts";

/** Tables that are reported together; `oldest` queries the time of the oldest row by an index, fast at any size. */
type Group = { name: string; tables: readonly string[]; oldest?: string };

const GROUPS: readonly Group[] = [
  {
    name: "receipts",
    tables: ["receipts", "source_calls"],
    oldest: "select min(received_at) as at from receipts",
  },
  {
    name: "alerts",
    tables: ["alerts", "alert_log"],
    oldest: "select min(first_received_at) as at from alerts",
  },
  {
    name: "incidents",
    tables: [
      "incidents",
      "incident_links",
      "correlation_lessons",
      "decisions",
      "investigations",
      "resolutions",
    ],
    oldest: "select min(created_at) as at from incidents",
  },
  { name: "timeline", tables: ["timeline"], oldest: "select at from timeline order by seq limit 1" },
  {
    name: "approvals",
    tables: ["approvals", "signatures"],
    oldest: "select min(created_at) as at from approvals",
  },
  {
    name: "executions",
    tables: ["executions", "execution_attempts", "freezes"],
    oldest: "select min(created_at) as at from executions",
  },
  { name: "repairs", tables: ["repair_records"], oldest: "select min(at) as at from repair_records" },
  {
    name: "notices",
    tables: ["outbox", "deliveries"],
    oldest: "select min(created_at) as at from outbox",
  },
  {
    name: "silences",
    tables: ["silences", "silence_changes", "inhibitors"],
    oldest: "select min(created_at) as at from silences",
  },
  { name: "audit", tables: ["audit_entries"], oldest: "select at from audit_entries order by seq limit 1" },
  { name: "heartbeats", tables: ["heartbeats"], oldest: "select min(watched_since) as at from heartbeats" },
  { name: "processes", tables: ["processes"], oldest: "select min(since) as at from processes" },
  { name: "playbooks", tables: ["playbooks"], oldest: "select min(created_at) as at from playbooks" },
  { name: "access", tables: ["people", "tokens"] },
];
const WORKFLOWS = "select to_timestamp(min(created_at) / 1000.0) as at from dbos.workflow_status";

// Row counts come from PostgreSQL's statistics: exact counts would read whole tables.
const TABLES = `
  select n.nspname as schema, c.relname as table, pg_total_relation_size(c.oid)::float8 as bytes,
         coalesce(nullif(s.n_live_tup, 0), greatest(c.reltuples, 0))::float8 as rows
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    left join pg_stat_user_tables s on s.relid = c.oid
   where c.relkind in ('r', 'm') and n.nspname in ('public', 'dbos')`;

export type GroupSize = { name: string; rows: number; bytes: number; oldest: Date | null };

export type TableSize = { schema: string; table: string; bytes: number; rows: number };

/** Returns the disk space of each table of ours and of the workflow engine, indexes included; row counts are estimates. */
export async function tableSizes(ctx: Ctx): Promise<TableSize[]> {
  return (await ctx.db.execute<TableSize>(sql.raw(TABLES))).rows;
}

/** Measures the database and groups of tables: `workflows` is the workflow engine's schema, `other` our remaining tables. */
export async function measureStorage(
  pool: pg.Pool,
): Promise<{ groups: GroupSize[]; database_bytes: number }> {
  const { rows: tables } = await pool.query<TableSize>(TABLES);
  const whole = await pool.query<{ bytes: number }>(
    "select pg_database_size(current_database())::float8 as bytes",
  );
  const known = new Set(GROUPS.flatMap((group) => group.tables));
  const sum = (name: string, own: readonly TableSize[], oldest: Date | null): GroupSize => ({
    name,
    rows: own.reduce((total, table) => total + table.rows, 0),
    bytes: own.reduce((total, table) => total + table.bytes, 0),
    oldest,
  });
  const oldestOf = async (query: string | undefined) =>
    query === undefined ? null : ((await pool.query<{ at: Date | null }>(query)).rows[0]?.at ?? null);
  const ours = tables.filter((table) => table.schema === "public");
  const groups: GroupSize[] = [];
  for (const { name, tables: names, oldest } of GROUPS) {
    const own = ours.filter((table) => names.includes(table.table));
    groups.push(sum(name, own, await oldestOf(oldest)));
  }
  const engine = tables.filter((table) => table.schema === "dbos");
  groups.push(sum("workflows", engine, engine.length === 0 ? null : await oldestOf(WORKFLOWS)));
  const rest = ours.filter((table) => !known.has(table.table));
  groups.push(sum("other", rest, null));
  return { groups, database_bytes: whole.rows[0]?.bytes ?? 0 };
}
