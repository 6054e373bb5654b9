import { sql } from "drizzle-orm";
import { boolean, check, index, integer, jsonb, pgTable, real, text, uniqueIndex } from "drizzle-orm/pg-core";
import { incidentStatus, serialColumn, severity, timeColumn } from "./columns.ts";

export const incidents = pgTable(
  "incidents",
  {
    incident_id: text("incident_id").primaryKey(),
    /** Deduplication key: alerts with this fingerprint join the active incident. */
    fingerprint: text("fingerprint").notNull(),
    /** Key of learning: the same for recurrences of the same anomaly. */
    anomaly_key: text("anomaly_key").notNull().default(""),
    /** Version of the algorithm that computed `fingerprint` and `anomaly_key`. */
    key_version: integer("key_version").notNull().default(1),
    title: text("title").notNull(),
    status: incidentStatus("status").notNull(),
    severity: severity("severity").notNull(),
    alert_category: text("alert_category").notNull(),
    notification_type: text("notification_type").notNull(),
    affected_services: text("affected_services").array().notNull(),
    operation_target: jsonb("operation_target").$type<Record<string, unknown>>(),
    hit_count: integer("hit_count").notNull(),
    first_seen: timeColumn("first_seen").notNull(),
    last_seen: timeColumn("last_seen").notNull(),
    created_at: timeColumn("created_at").notNull(),
    updated_at: timeColumn("updated_at").notNull(),
    resolved_at: timeColumn("resolved_at"),
    closed_at: timeColumn("closed_at"),
    owner: text("owner"),
    acknowledged_at: timeColumn("acknowledged_at"),
    /** 1 to 4, by how often this anomaly has recurred recently. */
    escalation_level: integer("escalation_level").notNull().default(1),
    /** The incident begins and ends again and again: people are not notified of each time. */
    flapping: boolean("flapping").notNull().default(false),
    /** How often it has ended since it began to flap. */
    flaps: integer("flaps").notNull().default(0),
    /** People's feedback on how it was handled. */
    feedback: jsonb("feedback").$type<Record<string, unknown>>(),
    /** How often it was resolved, which is the number of its latest row in `resolutions`. */
    resolution: integer("resolution").notNull().default(0),
    resolved_through: text("resolved_through", { enum: ["repair", "notice", "person", "silence"] }),
    /**
     * The main incident of which this one is an effect; a main incident is not merged itself. No foreign key, as an
     * import inserts rows in stored order. `incident_links` has the pair, with foreign keys.
     */
    merged_into: text("merged_into"),
    /** How often the anomaly had occurred when the incident was opened; null in rows from before this was stored. */
    frequency: jsonb("frequency").$type<Record<string, unknown>>(),
  },
  (table) => [
    uniqueIndex("incidents_one_active")
      .on(table.fingerprint)
      .where(sql`status in ('investigating', 'mitigating')`),
    index("incidents_fingerprint").on(table.fingerprint, table.created_at),
    index("incidents_listing").on(table.created_at, table.incident_id),
    index("incidents_ended").on(table.resolved_at).where(sql`status in ('resolved', 'closed')`),
    index("incidents_active").on(table.incident_id).where(sql`status in ('investigating', 'mitigating')`),
    index("incidents_flapping").on(table.incident_id).where(sql`flapping`),
    index("incidents_resolved").on(table.resolved_at).where(sql`status = 'resolved'`),
    index("incidents_effects").on(table.merged_into).where(sql`merged_into is not null`),
    check("incidents_not_own_effect", sql`merged_into <> incident_id`),
  ],
);

export const timeline = pgTable(
  "timeline",
  {
    seq: serialColumn("seq").primaryKey(),
    incident_id: text("incident_id")
      .notNull()
      .references(() => incidents.incident_id),
    at: timeColumn("at").notNull(),
    kind: text("kind").notNull(),
    actor: text("actor").notNull(),
    /** `person`, `system` or `sender`; null in rows from before this was stored. */
    actor_kind: text("actor_kind"),
    text: text("text").notNull(),
    data: jsonb("data").$type<Record<string, unknown>>().notNull(),
    /** Name of the event in the operation log; null if it is not listed there. */
    event: text("event"),
  },
  (table) => [
    index("timeline_incident").on(table.incident_id, table.seq),
    index("timeline_events").on(table.at, table.seq).where(sql`event is not null`),
  ],
);

/** Investigations: one row per run, with the evidence read about an incident's target and the findings. */
export const investigations = pgTable(
  "investigations",
  {
    seq: serialColumn("seq").primaryKey(),
    incident_id: text("incident_id")
      .notNull()
      .references(() => incidents.incident_id),
    at: timeColumn("at").notNull(),
    target: jsonb("target").$type<Record<string, unknown>>(),
    evidence: jsonb("evidence").$type<Record<string, unknown>[]>().notNull(),
    findings: jsonb("findings").$type<Record<string, unknown>[]>().notNull(),
    missing: jsonb("missing").$type<string[]>().notNull(),
    /** Possible targets when the target is not certain; null otherwise. */
    candidates: jsonb("candidates").$type<Record<string, unknown>[]>(),
  },
  (table) => [index("investigations_incident").on(table.incident_id, table.seq)],
);

export const decisions = pgTable(
  "decisions",
  {
    token: text("token").primaryKey(),
    incident_id: text("incident_id")
      .notNull()
      .references(() => incidents.incident_id),
    state: text("state", { enum: ["analyzing", "ready", "error", "superseded"] }).notNull(),
    source: text("source").notNull(),
    rule_id: text("rule_id"),
    summary: text("summary").notNull(),
    confidence: real("confidence").notNull(),
    proposal: jsonb("proposal").$type<Record<string, unknown>>().notNull(),
    policy: jsonb("policy").$type<{ outcome: string; rule: string; reason: string }>().notNull(),
    created_at: timeColumn("created_at").notNull(),
    ready_at: timeColumn("ready_at"),
    valid_until: timeColumn("valid_until").notNull(),
  },
  (table) => [
    index("decisions_incident").on(table.incident_id, table.created_at),
    index("decisions_analyzing").on(table.created_at).where(sql`state = 'analyzing'`),
  ],
);
