import { sql } from "drizzle-orm";
import { bigint, index, integer, jsonb, pgTable, text, uniqueIndex } from "drizzle-orm/pg-core";
import { at, bytes, serial } from "./columns.ts";

/** The journal: one row per webhook call, as it came. */
export const receipts = pgTable(
  "receipts",
  {
    seq: serial("seq").primaryKey(),
    source: text("source").notNull(),
    sender: text("sender").notNull(),
    body: bytes("body").notNull(),
    /** As its sender gave it: the same call again carries the same. */
    idempotency_key: text("idempotency_key"),
    received_at: at("received_at").notNull(),
    state: text("state", { enum: ["received", "processed", "dead"] })
      .notNull()
      .default("received"),
    alert_count: integer("alert_count"),
    error: text("error"),
    processed_at: at("processed_at"),
    /** How often it was taken up again after it had become a dead letter. */
    replays: integer("replays").notNull().default(0),
  },
  (table) => [
    index("receipts_waiting").on(table.seq).where(sql`state = 'received'`),
    index("receipts_dead").on(table.seq).where(sql`state = 'dead'`),
    index("receipts_received_at").on(table.received_at),
  ],
);

/** What became of webhook calls, counted by hour: `result` is `accepted`, `dead`, or why they were refused. */
export const source_calls = pgTable(
  "source_calls",
  {
    seq: serial("seq").primaryKey(),
    source: text("source").notNull(),
    result: text("result").notNull(),
    sender: text("sender").notNull(),
    hour: at("hour").notNull(),
    count: bigint("count", { mode: "number" }).notNull(),
    first_at: at("first_at").notNull(),
    last_at: at("last_at").notNull(),
    /** What the first of them was told. */
    sample: text("sample"),
  },
  (table) => [
    uniqueIndex("source_calls_what").on(table.source, table.result, table.sender, table.hour),
    index("source_calls_hour").on(table.hour, table.seq),
  ],
);

/** One row per alert instance: source, source fingerprint and start. */
export const alerts = pgTable(
  "alerts",
  {
    alert_id: text("alert_id").primaryKey(),
    instance_key: text("instance_key").notNull().unique(),
    source: text("source").notNull(),
    source_fingerprint: text("source_fingerprint").notNull(),
    fingerprint: text("fingerprint").notNull(),
    incident_id: text("incident_id"),
    status: text("status", { enum: ["firing", "resolved"] }).notNull(),
    alert_name: text("alert_name").notNull(),
    alert_type: text("alert_type").notNull(),
    severity: text("severity", { enum: ["P0", "P1", "P2", "P3"] }),
    alert_category: text("alert_category").notNull(),
    notification_type: text("notification_type").notNull(),
    cluster: text("cluster").notNull(),
    namespace: text("namespace").notNull(),
    target_resource: text("target_resource").notNull(),
    message: text("message").notNull(),
    labels: jsonb("labels").$type<Record<string, string>>().notNull(),
    annotations: jsonb("annotations").$type<Record<string, string>>().notNull(),
    starts_at: at("starts_at").notNull(),
    ends_at: at("ends_at"),
    generator_url: text("generator_url"),
    first_received_at: at("first_received_at").notNull(),
    last_received_at: at("last_received_at").notNull(),
    deliveries: integer("deliveries").notNull().default(1),
  },
  (table) => [
    index("alerts_incident").on(table.incident_id),
    // What a resolved notice without a start ends.
    index("alerts_firing_identity")
      .on(table.fingerprint, table.source_fingerprint)
      .where(sql`status = 'firing'`),
    index("alerts_firing").on(table.incident_id).where(sql`status = 'firing'`),
    index("alerts_fingerprint").on(table.fingerprint, table.first_received_at),
    // Not on what every delivery changes: PostgreSQL would write to all indexes each time.
    index("alerts_received_at").on(table.first_received_at),
  ],
);
