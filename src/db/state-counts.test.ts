import { getTableColumns, getTableName, is } from "drizzle-orm";
import { PgTable } from "drizzle-orm/pg-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { columnValues } from "../../test/support/column-values.ts";
import { createDatabase, type TestDatabase } from "../../test/support/database.ts";
import * as schema from "./schema.ts";
import { countStates, STATE_TABLES } from "./state-counts.ts";
import { tableSizes } from "./storage.ts";

/**
 * Every state that the schema knows, and of each table those in which something ends. A state that is new
 * is in neither list until someone has thought about how long it may last.
 */
const FINAL: Record<string, readonly string[]> = {
  "receipts.state": ["processed"],
  "incidents.status": ["resolved", "closed"],
  "decisions.state": ["ready", "error", "superseded"],
  "approvals.status": ["rejected", "expired", "superseded"],
  "executions.status": ["success", "failed", "refused"],
  "heartbeats.state": ["alive"],
  "processes.state": ["up", "stopped"],
  "deliveries.state": ["delivered", "failed", "silenced"],
  // A playbook waits for nobody: trouble that it would be for is with people meanwhile.
  "playbooks.status": ["draft", "approved", "deprecated"],
  // An alert fires for as long as its trouble lasts: its incident is what must not wait.
  "alerts.status": ["firing", "resolved"],
};

const KINDS: Record<string, string> = {
  alerts: "alert",
  receipts: "receipt",
  incidents: "incident",
  decisions: "decision",
  approvals: "approval",
  executions: "execution",
  deliveries: "delivery",
  heartbeats: "heartbeat",
  processes: "process",
};

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

describe("the counts", () => {
  const tables = Object.values(schema).filter((value) => is(value, PgTable));
  const stateful = tables.flatMap((table) =>
    Object.entries(getTableColumns(table))
      .filter(([name, column]) => /^(state|status)$/.test(name) && columnValues(column).length > 0)
      .map(([name, column]) => ({
        table: getTableName(table),
        column: `${getTableName(table)}.${name}`,
        states: columnValues(column),
      })),
  );

  it("finds the tables that have states", () => {
    expect(stateful.map((one) => one.column).sort()).toEqual(Object.keys(FINAL).sort());
  });

  it.each(stateful)("counts every state of $column that is not final", ({ table, column, states }) => {
    const counted = STATE_TABLES.filter((place) => place.kind === KINDS[table]).flatMap(
      (place) => place.states,
    );
    const missing = states.filter((state) => !FINAL[column]?.includes(state) && !counted.includes(state));
    expect(missing).toEqual([]);
    expect(counted.filter((state) => !states.includes(state))).toEqual([]);
  });

  it("has a line for every state even where there is nothing, the workflow engine's included", async () => {
    const { waiting, last_received, ledger } = await countStates(database.ctx());
    const places = STATE_TABLES.flatMap(({ kind, states }) => states.map((state) => ({ kind, state })));
    expect(waiting).toEqual(places.map((place) => ({ ...place, count: 0, oldest: null })));
    expect({ last_received, ledger }).toEqual({ last_received: null, ledger: 0 });
    expect(places).toContainEqual({ kind: "workflow", state: "ENQUEUED" });
  });

  it("counts, and tells the oldest", async () => {
    const row = { source: "alertmanager", sender: "127.0.0.1", body: Buffer.from("{}") };
    const times = ["2026-05-04T08:00:00Z", "2026-05-04T09:00:00Z", "2026-05-04T10:00:00Z"];
    const states = ["received", "received", "processed"] as const;
    await database.db
      .insert(schema.receipts)
      .values(
        times.map((at, index) => ({ ...row, received_at: new Date(at), state: states[index] as "received" })),
      );
    const { waiting, last_received } = await countStates(database.ctx());
    const oldest = Date.parse(times[0] as string) / 1000;
    expect(waiting[0]).toEqual({ kind: "receipt", state: "received", count: 2, oldest });
    expect(last_received).toBe(Date.parse(times[2] as string) / 1000);
  });

  it("answers from indexes: what has ended costs nothing", async () => {
    const { rows } = await database.pool.query(
      `select indexname from pg_indexes where indexdef like '%WHERE%' and schemaname in ('public', 'dbos')`,
    );
    const names = rows.map((one: { indexname: string }) => one.indexname);
    for (const name of [
      "receipts_waiting",
      "receipts_dead",
      "incidents_one_active",
      "decisions_analyzing",
      "approvals_waiting",
      "executions_live",
      "outbox_unrouted",
      "deliveries_waiting",
      "idx_workflow_status_in_flight",
      "idx_workflow_status_failed",
    ])
      expect(names.some((one) => one.startsWith(name))).toBe(true);
  });

  it("knows what every table takes", async () => {
    const sizes = await tableSizes(database.ctx());
    expect(sizes.find((one) => one.table === "receipts")?.bytes).toBeGreaterThan(0);
    expect(sizes.some((one) => one.schema === "dbos" && one.table === "workflow_status")).toBe(true);
  });
});
