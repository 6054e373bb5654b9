import { bigint, boolean, index, jsonb, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { at } from "./columns.ts";

type Matcher = { name: string; value: string; is_regex: boolean; is_equal: boolean };

/** Who has silenced which alerts, from when to when, and why. Its state follows from its times. */
export const silences = pgTable(
  "silences",
  {
    silence_id: text("silence_id").primaryKey(),
    matchers: jsonb("matchers").$type<Matcher[]>().notNull(),
    starts_at: at("starts_at").notNull(),
    ends_at: at("ends_at").notNull(),
    created_by: text("created_by").notNull(),
    created_by_kind: text("created_by_kind"),
    comment: text("comment").notNull(),
    /** The incident that it was made from. */
    incident_id: text("incident_id"),
    /** Who ended it before its time. */
    ended_by: text("ended_by"),
    ended_by_kind: text("ended_by_kind"),
    created_at: at("created_at").notNull(),
    updated_at: at("updated_at").notNull(),
  },
  (table) => [
    index("silences_ends_at").on(table.ends_at),
    index("silences_listing").on(table.created_at, table.silence_id),
  ],
);

/** One row: counts the changes of silences, so that who has them in memory knows whether they still hold. */
export const silence_changes = pgTable("silence_changes", {
  only: boolean("only").primaryKey().default(true),
  version: bigint("version", { mode: "number" }).notNull(),
});

/** Alerts that inhibit others while they fire, by the hash of a rule and of the labels that must be equal. */
export const inhibitors = pgTable(
  "inhibitors",
  { key: text("key").notNull(), alert_id: text("alert_id").notNull() },
  (table) => [primaryKey({ columns: [table.key, table.alert_id] })],
);
