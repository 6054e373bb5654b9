import { bigint, boolean, index, jsonb, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { timeColumn } from "./columns.ts";

type Matcher = { name: string; value: string; is_regex: boolean; is_equal: boolean };

/** Silences: matchers of alerts, with who, when and why. The state of a silence follows from its times. */
export const silences = pgTable(
  "silences",
  {
    silence_id: text("silence_id").primaryKey(),
    matchers: jsonb("matchers").$type<Matcher[]>().notNull(),
    starts_at: timeColumn("starts_at").notNull(),
    ends_at: timeColumn("ends_at").notNull(),
    created_by: text("created_by").notNull(),
    created_by_kind: text("created_by_kind"),
    comment: text("comment").notNull(),
    /** The incident from which it was created. */
    incident_id: text("incident_id"),
    /** The actor that ended it early. */
    ended_by: text("ended_by"),
    ended_by_kind: text("ended_by_kind"),
    created_at: timeColumn("created_at").notNull(),
    updated_at: timeColumn("updated_at").notNull(),
  },
  (table) => [
    index("silences_ends_at").on(table.ends_at),
    index("silences_listing").on(table.created_at, table.silence_id),
  ],
);

/** One row: a version that every change of silences increments, by which a cache in memory is validated. */
export const silence_changes = pgTable("silence_changes", {
  only: boolean("only").primaryKey().default(true),
  version: bigint("version", { mode: "number" }).notNull(),
});

/** Alerts that inhibit others while they fire; `key` is a hash of the rule and of the labels that must be equal. */
export const inhibitors = pgTable(
  "inhibitors",
  { key: text("key").notNull(), alert_id: text("alert_id").notNull() },
  (table) => [primaryKey({ columns: [table.key, table.alert_id] })],
);
