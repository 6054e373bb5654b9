import { sql } from "drizzle-orm";
import { boolean, index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex } from "drizzle-orm/pg-core";
import { approvals } from "./approval.ts";
import { timeColumn } from "./columns.ts";
import { incidents } from "./incident.ts";

/** Executions: a row is created before the change and updated until its verification has ended. */
export const executions = pgTable(
  "executions",
  {
    execution_id: text("execution_id").primaryKey(),
    incident_id: text("incident_id")
      .notNull()
      .references(() => incidents.incident_id),
    approval_id: text("approval_id")
      .notNull()
      .references(() => approvals.approval_id),
    /** Number of the step in the approval's plan, from 1. */
    step: integer("step").notNull().default(1),
    operation: jsonb("operation").$type<Record<string, unknown>>().notNull(),
    plan_hash: text("plan_hash").notNull(),
    /** By whose authority: `approval_executor` for people's signatures, `auto_repair` for policy. */
    caller: text("caller", { enum: ["approval_executor", "auto_repair"] })
      .notNull()
      .default("approval_executor"),
    status: text("status", {
      enum: ["pending", "running", "verifying", "success", "failed", "refused"],
    }).notNull(),
    attempts: integer("attempts").notNull().default(0),
    /** Fencing token: the turn of the workflow that may continue the execution; an earlier turn is refused. */
    turn: integer("turn").notNull().default(0),
    output: text("output"),
    error: text("error"),
    error_code: text("error_code"),
    stderr: text("stderr"),
    /** Snapshot of the target before the change, by the executor and the observer. */
    before: jsonb("before").$type<Record<string, unknown>>(),
    verification: jsonb("verification").$type<Record<string, unknown>>(),
    /** The operation that undoes this one, derived from the snapshot. */
    undo: jsonb("undo").$type<Record<string, unknown>>(),
    /** The execution that this one undoes. */
    undoes: text("undoes"),
    /** The execution that undid this one. */
    undone_by: text("undone_by"),
    created_at: timeColumn("created_at").notNull(),
    started_at: timeColumn("started_at"),
    ended_at: timeColumn("ended_at"),
    deadline: timeColumn("deadline").notNull(),
  },
  (table) => [
    uniqueIndex("executions_step").on(table.approval_id, table.step),
    index("executions_incident").on(table.incident_id, table.created_at),
    index("executions_listing").on(table.created_at, table.execution_id),
    // Executions refused after an attempt: learning reads them later, outside the transaction that refused them.
    index("executions_cut_short").on(table.execution_id).where(sql`status = 'refused' and attempts > 0`),
    index("executions_live").on(table.status).where(sql`status in ('pending', 'running', 'verifying')`),
  ],
);

/** One row per attempt to change a system; without an outcome it is running or was cut off. */
export const execution_attempts = pgTable(
  "execution_attempts",
  {
    execution_id: text("execution_id")
      .notNull()
      .references(() => executions.execution_id),
    attempt: integer("attempt").notNull(),
    started_at: timeColumn("started_at").notNull(),
    ended_at: timeColumn("ended_at"),
    outcome: text("outcome", { enum: ["success", "failed", "unknown"] }),
    sent: boolean("sent"),
    error: text("error"),
  },
  (table) => [primaryKey({ columns: [table.execution_id, table.attempt] })],
);

/** Freezes of all changes, with who, when and why. Rows are never deleted, not even after the freeze was lifted. */
export const freezes = pgTable("freezes", {
  freeze_id: text("freeze_id").primaryKey(),
  why: text("why").notNull(),
  frozen_by: text("frozen_by").notNull(),
  frozen_by_kind: text("frozen_by_kind"),
  since: timeColumn("since").notNull(),
  /** null: until a person lifts it. */
  until: timeColumn("until"),
  lifted_by: text("lifted_by"),
  lifted_by_kind: text("lifted_by_kind"),
  lifted_at: timeColumn("lifted_at"),
});

export const repair_records = pgTable(
  "repair_records",
  {
    execution_id: text("execution_id").primaryKey(),
    incident_id: text("incident_id").notNull(),
    anomaly_key: text("anomaly_key").notNull(),
    action: text("action").notNull(),
    success: boolean("success").notNull(),
    verification: text("verification").notNull(),
    root_cause: text("root_cause"),
    fix: text("fix").notNull(),
    duration_ms: integer("duration_ms").notNull(),
    /** Set to false when the anomaly comes back: the fix then counts as failed. */
    held: boolean("held").notNull().default(true),
    at: timeColumn("at").notNull(),
  },
  (table) => [
    index("repair_records_key").on(table.anomaly_key, table.at),
    index("repair_records_at").on(table.at),
    index("repair_records_rank").on(table.anomaly_key, table.action, table.at),
  ],
);

/** One row per resolution of an incident, with what resolved it; `disposition` is null until it is concluded. */
export const resolutions = pgTable(
  "resolutions",
  {
    incident_id: text("incident_id")
      .notNull()
      .references(() => incidents.incident_id),
    resolution: integer("resolution").notNull(),
    anomaly_key: text("anomaly_key").notNull(),
    disposition: text("disposition", {
      enum: ["auto_repair", "human_approved", "cold_start_trust", "manual_resolved"],
    }),
    through: text("through", { enum: ["repair", "notice", "person", "silence"] }).notNull(),
    execution_id: text("execution_id"),
    resolved_by: text("resolved_by").notNull(),
    resolved_by_kind: text("resolved_by_kind"),
    resolved_at: timeColumn("resolved_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.incident_id, table.resolution] }),
    index("resolutions_key").on(table.anomaly_key, table.resolved_at),
    index("resolutions_open").on(table.incident_id, table.resolution).where(sql`disposition is null`),
  ],
);
