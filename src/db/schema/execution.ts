import { sql } from "drizzle-orm";
import { boolean, index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex } from "drizzle-orm/pg-core";
import { approvals } from "./approval.ts";
import { at } from "./columns.ts";
import { incidents } from "./incident.ts";

/** The operation log: a row from before the act to after its verification. */
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
    /** Which step of the approval's plan it is, from 1. */
    step: integer("step").notNull().default(1),
    operation: jsonb("operation").$type<Record<string, unknown>>().notNull(),
    plan_hash: text("plan_hash").notNull(),
    /** On whose behalf: people's, or a policy's. */
    caller: text("caller", { enum: ["approval_executor", "auto_repair"] })
      .notNull()
      .default("approval_executor"),
    status: text("status", {
      enum: ["pending", "running", "verifying", "success", "failed", "refused"],
    }).notNull(),
    attempts: integer("attempts").notNull().default(0),
    /** Which run of its work may go on with it: what an earlier one still wants is refused. */
    turn: integer("turn").notNull().default(0),
    output: text("output"),
    error: text("error"),
    error_code: text("error_code"),
    stderr: text("stderr"),
    /** What was there before, as the executor and the observer saw it. */
    before: jsonb("before").$type<Record<string, unknown>>(),
    verification: jsonb("verification").$type<Record<string, unknown>>(),
    /** What takes it back, told from the snapshot. */
    undo: jsonb("undo").$type<Record<string, unknown>>(),
    /** The execution that this one takes back. */
    undoes: text("undoes"),
    /** The execution that took this one back. */
    undone_by: text("undone_by"),
    created_at: at("created_at").notNull(),
    started_at: at("started_at"),
    ended_at: at("ended_at"),
    deadline: at("deadline").notNull(),
  },
  (table) => [
    uniqueIndex("executions_step").on(table.approval_id, table.step),
    index("executions_incident").on(table.incident_id, table.created_at),
    index("executions_listing").on(table.created_at, table.execution_id),
    // What was refused after an attempt, which is learnt from outside the transaction that refused it.
    index("executions_cut_short").on(table.execution_id).where(sql`status = 'refused' and attempts > 0`),
    index("executions_live").on(table.status).where(sql`status in ('pending', 'running', 'verifying')`),
  ],
);

/** One row per time that the system was touched; without an outcome it was under way, or cut off. */
export const execution_attempts = pgTable(
  "execution_attempts",
  {
    execution_id: text("execution_id")
      .notNull()
      .references(() => executions.execution_id),
    attempt: integer("attempt").notNull(),
    started_at: at("started_at").notNull(),
    ended_at: at("ended_at"),
    outcome: text("outcome", { enum: ["success", "failed", "unknown"] }),
    sent: boolean("sent"),
    error: text("error"),
  },
  (table) => [primaryKey({ columns: [table.execution_id, table.attempt] })],
);

/** Who has stopped all changes, from when to when, and why. Nothing is forgotten; one that was lifted stays. */
export const freezes = pgTable("freezes", {
  freeze_id: text("freeze_id").primaryKey(),
  why: text("why").notNull(),
  frozen_by: text("frozen_by").notNull(),
  frozen_by_kind: text("frozen_by_kind"),
  since: at("since").notNull(),
  /** null: until somebody lifts it. */
  until: at("until"),
  lifted_by: text("lifted_by"),
  lifted_by_kind: text("lifted_by_kind"),
  lifted_at: at("lifted_at"),
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
    /** Set to false when the trouble came back: a fix that does not hold is a failed fix. */
    held: boolean("held").notNull().default(true),
    at: at("at").notNull(),
  },
  (table) => [
    index("repair_records_key").on(table.anomaly_key, table.at),
    index("repair_records_at").on(table.at),
    index("repair_records_rank").on(table.anomaly_key, table.action, table.at),
  ],
);

/** How each resolution of an incident came about, once each; without a disposition it is not concluded yet. */
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
    resolved_at: at("resolved_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.incident_id, table.resolution] }),
    index("resolutions_key").on(table.anomaly_key, table.resolved_at),
    index("resolutions_open").on(table.incident_id, table.resolution).where(sql`disposition is null`),
  ],
);
