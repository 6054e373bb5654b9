import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  index,
  integer,
  jsonb,
  pgTable,
  real,
  text,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import { alertStatus, bytes, serialColumn, severity, timeColumn } from "./columns.ts";

type SilencedBy = { by: "silence" | "maintenance" | "inhibition"; id: string };

/** The journal: one row per webhook call, with its body as received. */
export const receipts = pgTable(
  "receipts",
  {
    seq: serialColumn("seq").primaryKey(),
    source: text("source").notNull(),
    sender: text("sender").notNull(),
    body: bytes("body").notNull(),
    /** The sender's Idempotency-Key: a repeated call carries the same. */
    idempotency_key: text("idempotency_key"),
    received_at: timeColumn("received_at").notNull(),
    state: text("state", { enum: ["received", "processed", "dead"] })
      .notNull()
      .default("received"),
    alert_count: integer("alert_count"),
    error: text("error"),
    processed_at: timeColumn("processed_at"),
    /** How often it was replayed after it had become a dead letter. */
    replays: integer("replays").notNull().default(0),
    /** How often its processing was begun. Starts at 1: the process that writes the receipt processes it. */
    tries: integer("tries").notNull().default(1),
    /** Id of its entry in the signal stream; unique, so that an entry that is read twice is journalled once. */
    stream_id: text("stream_id"),
  },
  (table) => [
    uniqueIndex("receipts_stream_id").on(table.stream_id).where(sql`stream_id is not null`),
    index("receipts_waiting").on(table.seq).where(sql`state = 'received'`),
    index("receipts_dead").on(table.seq).where(sql`state = 'dead'`),
    index("receipts_received_at").on(table.received_at),
  ],
);

/** Webhook calls counted by hour and result: `accepted`, `dead`, or the reason of the refusal. */
export const source_calls = pgTable(
  "source_calls",
  {
    seq: serialColumn("seq").primaryKey(),
    source: text("source").notNull(),
    result: text("result").notNull(),
    sender: text("sender").notNull(),
    hour: timeColumn("hour").notNull(),
    count: bigint("count", { mode: "number" }).notNull(),
    first_at: timeColumn("first_at").notNull(),
    last_at: timeColumn("last_at").notNull(),
    /** The error message that the first of these calls was answered with. */
    sample: text("sample"),
  },
  (table) => [
    uniqueIndex("source_calls_what").on(table.source, table.result, table.sender, table.hour),
    index("source_calls_hour").on(table.hour, table.seq),
  ],
);

/** One row per outage of an alert; outage 0 is one that had ended before the first notice of it arrived. */
export const alerts = pgTable(
  "alerts",
  {
    alert_id: text("alert_id").primaryKey(),
    /** Identity of the alert: adapter, organisation, source fingerprint. null in rows from before outages were counted. */
    identity: text("identity"),
    /** Number of the outage of its alert, from 1; see above for 0. */
    outage: integer("outage"),
    /** For a source in which every call is a new instance: the key of the call that began the outage. */
    instance_key: text("instance_key").unique(),
    source: text("source").notNull(),
    source_fingerprint: text("source_fingerprint").notNull(),
    fingerprint: text("fingerprint").notNull(),
    anomaly_key: text("anomaly_key").notNull().default(""),
    /** Version of the algorithm that computed `fingerprint` and `anomaly_key`. */
    key_version: integer("key_version").notNull().default(1),
    incident_id: text("incident_id"),
    /** `held`: a sender reports it firing after another reported its end; the report may only be late. */
    status: alertStatus("status").notNull(),
    alert_name: text("alert_name").notNull(),
    alert_type: text("alert_type").notNull(),
    severity: severity("severity"),
    alert_category: text("alert_category").notNull(),
    notification_type: text("notification_type").notNull(),
    cluster: text("cluster").notNull(),
    namespace: text("namespace").notNull(),
    target_resource: text("target_resource").notNull(),
    message: text("message").notNull(),
    labels: jsonb("labels").$type<Record<string, string>>().notNull(),
    annotations: jsonb("annotations").$type<Record<string, string>>().notNull(),
    starts_at: timeColumn("starts_at").notNull(),
    ends_at: timeColumn("ends_at"),
    /** For a firing alert of a sender that repeats its alerts: when the alert ends unless it is repeated before. */
    holds_until: timeColumn("holds_until"),
    /** For a held alert: when it becomes an outage unless its sender reports its end before. */
    held_until: timeColumn("held_until"),
    /** Places of the notices that began and ended it, as text that sorts in the order of receipts. */
    began_with: text("began_with"),
    ended_with: text("ended_with"),
    /** Place of the latest notice that reported it firing. */
    said_with: text("said_with"),
    /** Hashes of the senders that reported it firing. */
    senders: text("senders").array().notNull().default(sql`'{}'`),
    /** By sender, the latest end that it reported; empty: none did. */
    ended_by: jsonb("ended_by")
      .$type<Record<string, { place: string; ends_at: string }>>()
      .notNull()
      .default({}),
    generator_url: text("generator_url"),
    first_received_at: timeColumn("first_received_at").notNull(),
    last_received_at: timeColumn("last_received_at").notNull(),
    deliveries: integer("deliveries").notNull().default(1),
    /** Everything in its notices that may rule out an automatic repair; empty in rows from before this was stored. */
    narrows: text("narrows").array().notNull().default(sql`'{}'`),
    /** What silences it, as of its latest delivery; null: nothing. */
    silenced_by: jsonb("silenced_by").$type<SilencedBy[]>(),
    /** The alert row of the same outage by another route, which is the one that counts; null: this row counts. */
    same_as: text("same_as"),
  },
  (table) => [
    // Finds the same alert from another source.
    index("alerts_firing_labels")
      .using("hash", table.labels)
      .where(sql`status = 'firing' and instance_key is null`),
    index("alerts_same_as").on(table.same_as).where(sql`same_as is not null`),
    // In the order in which an incident's oldest alerts are read.
    index("alerts_incident").on(table.incident_id, table.first_received_at, table.alert_id),
    uniqueIndex("alerts_outage").on(table.identity, table.outage),
    index("alerts_open").on(table.identity).where(sql`status <> 'resolved' and instance_key is null`),
    // Any number of alerts of call-counting sources may be open for long: this finds the newest without scanning them.
    index("alerts_open_calls")
      .on(table.identity, table.outage)
      .where(sql`status = 'firing' and instance_key is not null`),
    index("alerts_over").on(table.identity, table.outage).where(sql`status = 'resolved'`),
    index("alerts_held").on(table.held_until).where(sql`status = 'held'`),
    // Alerts firing since before outages were counted: the next notice gives them their identity.
    index("alerts_firing_former")
      .on(table.source_fingerprint)
      .where(sql`status = 'firing' and identity is null`),
    index("alerts_firing").on(table.incident_id).where(sql`status = 'firing'`),
    index("alerts_fingerprint").on(table.fingerprint, table.first_received_at),
    // Counts the occurrences of an anomaly.
    index("alerts_anomaly").on(table.anomaly_key, table.first_received_at),
    index("alerts_silenced").on(table.first_received_at, table.alert_id).where(sql`silenced_by is not null`),
    index("alerts_silenced_firing")
      .on(table.alert_id)
      .where(sql`silenced_by is not null and status = 'firing'`),
    // Not on last_received_at, which every delivery changes: PostgreSQL would then write to all indexes each time.
    index("alerts_received_at").on(table.first_received_at),
  ],
);

/**
 * Accepted alerts in the operation log: a row per alert instance, and one per receipt whose alerts were known. `seq` shares
 * the timeline's sequence, so that both form one listing. No foreign keys: the rows have a retention time of their own.
 */
export const alert_log = pgTable(
  "alert_log",
  {
    seq: bigint("seq", { mode: "number" }).primaryKey().default(sql`nextval('timeline_seq_seq')`),
    at: timeColumn("at").notNull(),
    /** null: caused by time, not by a webhook call. */
    receipt: bigint("receipt", { mode: "number" }),
    alert_id: text("alert_id").notNull(),
    /** null: it neither opened nor joined an incident. */
    incident_id: text("incident_id"),
    outcome: text("outcome").notNull(),
    /** Explanation of the outcome, for people. */
    detail: text("detail"),
    alert_name: text("alert_name").notNull(),
    /** Shortened; the row in `alerts` has them whole. */
    labels: jsonb("labels").$type<Record<string, string>>().notNull(),
    /** How many alerts of the receipt the row stands for. */
    alerts: integer("alerts").notNull().default(1),
  },
  (table) => [
    index("alert_log_listing").on(table.at, table.seq),
    index("alert_log_known").on(table.at).where(sql`outcome = 'known'`),
    index("alert_log_incident").on(table.incident_id, table.at).where(sql`incident_id is not null`),
  ],
);

/** Expected heartbeats: one row per dead man's switch. */
export const heartbeats = pgTable(
  "heartbeats",
  {
    heartbeat_id: text("heartbeat_id").primaryKey(),
    name: text("name").notNull(),
    /** null: any source. */
    source: text("source"),
    /** True if the configuration names it; false if it was learnt from the first heartbeat received. */
    expected: boolean("expected").notNull(),
    severity: text("severity").notNull(),
    /** `missing`: silent for longer than `interval` seconds, since `missing_since`. */
    state: text("state", { enum: ["alive", "missing"] })
      .notNull()
      .default("alive"),
    interval: real("interval").notNull(),
    /** Longest time so far between two heartbeats, in seconds. */
    longest_gap: real("longest_gap").notNull().default(0),
    watched_since: timeColumn("watched_since").notNull(),
    last_heard_at: timeColumn("last_heard_at"),
    missing_since: timeColumn("missing_since"),
  },
  (table) => [index("heartbeats_missing").on(table.missing_since).where(sql`state = 'missing'`)],
);
