import { sql } from "drizzle-orm";
import { index, jsonb, pgTable, primaryKey, text, uniqueIndex } from "drizzle-orm/pg-core";
import { timeColumn } from "./columns.ts";
import { incidents } from "./incident.ts";
import { people } from "./system.ts";

export const approvals = pgTable(
  "approvals",
  {
    approval_id: text("approval_id").primaryKey(),
    incident_id: text("incident_id")
      .notNull()
      .references(() => incidents.incident_id),
    decision_token: text("decision_token").notNull(),
    status: text("status", {
      enum: ["preparing", "pending", "approved", "rejected", "expired", "superseded"],
    }).notNull(),
    plan: jsonb("plan").$type<Record<string, unknown>>().notNull(),
    plan_hash: text("plan_hash").notNull(),
    action: text("action").notNull(),
    description: text("description").notNull(),
    blast_radius: jsonb("blast_radius").$type<Record<string, unknown>>().notNull(),
    dry_run_checks: jsonb("dry_run_checks")
      .$type<{ name: string; passed: boolean; message: string }[]>()
      .notNull(),
    diff: text("diff"),
    requested_by: text("requested_by").notNull(),
    /** `person`, `system`, or `policy` for a plan that needs no signature; null in rows from before this was stored. */
    requested_by_kind: text("requested_by_kind"),
    reject_reason: text("reject_reason"),
    created_at: timeColumn("created_at").notNull(),
    /** When an approval in `preparing` becomes `pending`, even if evidence is still missing. */
    prepare_until: timeColumn("prepare_until").notNull(),
    expires_at: timeColumn("expires_at"),
    decided_at: timeColumn("decided_at"),
    /** Until when the signatures authorise an execution. */
    authority_until: timeColumn("authority_until"),
    /** When its execution began; from then on `status` stays `approved` and the execution's status changes. */
    begun_at: timeColumn("begun_at"),
  },
  (table) => [
    uniqueIndex("approvals_one_open").on(table.incident_id).where(sql`status in ('preparing', 'pending')`),
    index("approvals_incident").on(table.incident_id, table.created_at),
    index("approvals_listing").on(table.created_at, table.approval_id),
    // Approved plans: few at any time, however many approvals there are.
    index("approvals_authority").on(table.authority_until).where(sql`status = 'approved'`),
    index("approvals_waiting")
      .on(table.incident_id)
      .where(sql`status in ('preparing', 'pending') or (status = 'approved' and begun_at is null)`),
  ],
);

export const signatures = pgTable(
  "signatures",
  {
    approval_id: text("approval_id")
      .notNull()
      .references(() => approvals.approval_id),
    person_id: text("person_id")
      .notNull()
      .references(() => people.person_id),
    person_name: text("person_name").notNull(),
    role: text("role").notNull(),
    plan_hash: text("plan_hash").notNull(),
    comment: text("comment"),
    at: timeColumn("at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.approval_id, table.person_id] })],
);
