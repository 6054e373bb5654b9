import { index, integer, jsonb, pgTable, real, text } from "drizzle-orm/pg-core";
import { timeColumn } from "./columns.ts";

/** Playbooks: steps against one kind of trouble, written by people or learnt, and how often they worked. */
export const playbooks = pgTable(
  "playbooks",
  {
    playbook_id: text("playbook_id").primaryKey(),
    name: text("name").notNull().unique(),
    description: text("description").notNull(),
    status: text("status", { enum: ["draft", "approved", "deprecated"] }).notNull(),
    pattern: jsonb("pattern").$type<Record<string, unknown>>().notNull(),
    steps: jsonb("steps").$type<Record<string, unknown>[]>().notNull(),
    runs: integer("runs").notNull().default(0),
    successes: integer("successes").notNull().default(0),
    failures: integer("failures").notNull().default(0),
    trust: real("trust").notNull().default(0),
    source: text("source", { enum: ["manual", "extracted", "auto_learning"] }).notNull(),
    created_by: text("created_by").notNull(),
    created_by_kind: text("created_by_kind"),
    approved_by: text("approved_by"),
    approved_by_kind: text("approved_by_kind"),
    /** null: not approved, or approved before this was stored. */
    approved_by_person: text("approved_by_person"),
    approved_at: timeColumn("approved_at"),
    created_at: timeColumn("created_at").notNull(),
    updated_at: timeColumn("updated_at").notNull(),
  },
  (table) => [
    index("playbooks_listing").on(table.created_at, table.playbook_id),
    index("playbooks_status").on(table.status),
  ],
);
