import { index, pgTable, primaryKey, text, uniqueIndex } from "drizzle-orm/pg-core";
import { timeColumn } from "./columns.ts";
import { incidents } from "./incident.ts";
import { people } from "./system.ts";

/** Correlations of incidents: one row per pair, the smaller id first. */
export const incident_links = pgTable(
  "incident_links",
  {
    incident_id: text("incident_id")
      .notNull()
      .references(() => incidents.incident_id),
    other_id: text("other_id")
      .notNull()
      .references(() => incidents.incident_id),
    strength: text("strength", { enum: ["link", "merge"] }).notNull(),
    reasons: text("reasons").array().notNull(),
    /** The one of the two that caused the other, if known. */
    cause_id: text("cause_id"),
    cause_reason: text("cause_reason"),
    made_by: text("made_by").notNull(),
    made_by_kind: text("made_by_kind"),
    made_at: timeColumn("made_at").notNull(),
    /** When the correlation ended, because a person separated the incidents. */
    ended_at: timeColumn("ended_at"),
    ended_by: text("ended_by"),
    ended_by_kind: text("ended_by_kind"),
  },
  (table) => [
    primaryKey({ columns: [table.incident_id, table.other_id] }),
    index("incident_links_other").on(table.other_id),
  ],
);

/** People's corrections of correlations: one row per pair of fingerprints, the smaller first. */
export const correlation_lessons = pgTable(
  "correlation_lessons",
  {
    lesson_id: text("lesson_id").primaryKey(),
    fingerprint: text("fingerprint").notNull(),
    other_fingerprint: text("other_fingerprint").notNull(),
    lesson: text("lesson", { enum: ["together", "apart"] }).notNull(),
    /** For people: the titles of the two incidents that the lesson was learnt from. */
    title: text("title").notNull(),
    other_title: text("other_title").notNull(),
    taught_by: text("taught_by").notNull(),
    person_id: text("person_id")
      .notNull()
      .references(() => people.person_id),
    taught_at: timeColumn("taught_at").notNull(),
  },
  (table) => [
    uniqueIndex("correlation_lessons_pair").on(table.fingerprint, table.other_fingerprint),
    index("correlation_lessons_listing").on(table.taught_at, table.lesson_id),
  ],
);
