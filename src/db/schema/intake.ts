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
import { alertStatus, at, bytes, serial, severity } from "./columns.ts";

type SilencedBy = { by: "silence" | "maintenance" | "inhibition"; id: string };

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
    /** How often it was taken up to be understood. The commit that writes it is the first: who wrote it takes it up. */
    tries: integer("tries").notNull().default(1),
    /** Its name in the signal stream: an entry that is read twice is journalled once. */
    stream_id: text("stream_id"),
  },
  (table) => [
    uniqueIndex("receipts_stream_id").on(table.stream_id).where(sql`stream_id is not null`),
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

/** One row per outage of an alert, and one for what was over before we heard of it (outage 0). */
export const alerts = pgTable(
  "alerts",
  {
    alert_id: text("alert_id").primaryKey(),
    /** Names the alert: adapter, organisation, source fingerprint. null: from before outages were counted. */
    identity: text("identity"),
    /** Which outage of its alert it is, from 1. */
    outage: integer("outage"),
    /** Of a source that counts calls: the call that began it. */
    instance_key: text("instance_key").unique(),
    source: text("source").notNull(),
    source_fingerprint: text("source_fingerprint").notNull(),
    fingerprint: text("fingerprint").notNull(),
    anomaly_key: text("anomaly_key").notNull().default(""),
    /** Of which version the two keys are. */
    key_version: integer("key_version").notNull().default(1),
    incident_id: text("incident_id"),
    /** `held`: a sender says that it fires after another said that it is over; it may only be late. */
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
    starts_at: at("starts_at").notNull(),
    ends_at: at("ends_at"),
    /** Of one that fires, from a sender that repeats what does: it ends when it is not repeated before. */
    holds_until: at("holds_until"),
    /** Of one that is held: when it is an outage, unless its sender takes it back before. */
    held_until: at("held_until"),
    /** The notice that began it, and the one that ended it, as text that sorts in the order of receipts. */
    began_with: text("began_with"),
    ended_with: text("ended_with"),
    /** The latest notice that said that it fires. */
    said_with: text("said_with"),
    /** Hashes of those who said that it fires. */
    senders: text("senders").array().notNull().default(sql`'{}'`),
    /** By sender, the latest end that it told of; empty: nothing more was heard. */
    ended_by: jsonb("ended_by")
      .$type<Record<string, { place: string; ends_at: string }>>()
      .notNull()
      .default({}),
    generator_url: text("generator_url"),
    first_received_at: at("first_received_at").notNull(),
    last_received_at: at("last_received_at").notNull(),
    deliveries: integer("deliveries").notNull().default(1),
    /** All that was said of it that may keep it from being repaired by itself; empty: from before it was kept. */
    narrows: text("narrows").array().notNull().default(sql`'{}'`),
    /** What keeps it silent, as of its latest delivery; null: nothing. */
    silenced_by: jsonb("silenced_by").$type<SilencedBy[]>(),
    /** The outage that it tells of once more, by another route: it counts there; null: it counts itself. */
    same_as: text("same_as"),
  },
  (table) => [
    // Whether another source tells of the same.
    index("alerts_firing_labels")
      .using("hash", table.labels)
      .where(sql`status = 'firing' and instance_key is null`),
    index("alerts_same_as").on(table.same_as).where(sql`same_as is not null`),
    // In the order in which the oldest of an incident are asked for.
    index("alerts_incident").on(table.incident_id, table.first_received_at, table.alert_id),
    uniqueIndex("alerts_outage").on(table.identity, table.outage),
    index("alerts_open").on(table.identity).where(sql`status <> 'resolved' and instance_key is null`),
    // Of calls that count any number may be open, and be there since: the newest are found without looking at them.
    index("alerts_open_calls")
      .on(table.identity, table.outage)
      .where(sql`status = 'firing' and instance_key is not null`),
    index("alerts_over").on(table.identity, table.outage).where(sql`status = 'resolved'`),
    index("alerts_held").on(table.held_until).where(sql`status = 'held'`),
    // What fires since before outages were counted: it gets its identity when it is heard of next.
    index("alerts_firing_former")
      .on(table.source_fingerprint)
      .where(sql`status = 'firing' and identity is null`),
    index("alerts_firing").on(table.incident_id).where(sql`status = 'firing'`),
    index("alerts_fingerprint").on(table.fingerprint, table.first_received_at),
    // How often the same trouble was there.
    index("alerts_anomaly").on(table.anomaly_key, table.first_received_at),
    index("alerts_silenced").on(table.first_received_at, table.alert_id).where(sql`silenced_by is not null`),
    index("alerts_silenced_firing")
      .on(table.alert_id)
      .where(sql`silenced_by is not null and status = 'firing'`),
    // Not on what every delivery changes: PostgreSQL would write to all indexes each time.
    index("alerts_received_at").on(table.first_received_at),
  ],
);

/**
 * What was accepted, in the operation log: a row for each alert instance, and one for each receipt whose alerts were
 * known. Its numbers are those of the timeline, so that both are one listing. Without keys: each goes at its own time.
 */
export const alert_log = pgTable(
  "alert_log",
  {
    seq: bigint("seq", { mode: "number" }).primaryKey().default(sql`nextval('timeline_seq_seq')`),
    at: at("at").notNull(),
    /** null: no call brought it here, but time. */
    receipt: bigint("receipt", { mode: "number" }),
    alert_id: text("alert_id").notNull(),
    /** null: it made none, and joined none. */
    incident_id: text("incident_id"),
    outcome: text("outcome").notNull(),
    /** What it says of that, for people. */
    detail: text("detail"),
    alert_name: text("alert_name").notNull(),
    /** Cut: those of the alert itself are whole. */
    labels: jsonb("labels").$type<Record<string, string>>().notNull(),
    /** How many alerts of the receipt it stands for. */
    alerts: integer("alerts").notNull().default(1),
  },
  (table) => [
    index("alert_log_listing").on(table.at, table.seq),
    index("alert_log_known").on(table.at).where(sql`outcome = 'known'`),
    index("alert_log_incident").on(table.incident_id, table.at).where(sql`incident_id is not null`),
  ],
);

/** Signs of life that are waited for: one row per dead man's switch. */
export const heartbeats = pgTable(
  "heartbeats",
  {
    heartbeat_id: text("heartbeat_id").primaryKey(),
    name: text("name").notNull(),
    /** null: of whatever source. */
    source: text("source"),
    /** Named in the configuration; else learnt from the first one heard. */
    expected: boolean("expected").notNull(),
    severity: text("severity").notNull(),
    /** `missing` since `missing_since`: silent for longer than `interval` seconds. */
    state: text("state", { enum: ["alive", "missing"] })
      .notNull()
      .default("alive"),
    interval: real("interval").notNull(),
    /** Seconds between two that were heard, the longest so far. */
    longest_gap: real("longest_gap").notNull().default(0),
    watched_since: at("watched_since").notNull(),
    last_heard_at: at("last_heard_at"),
    missing_since: at("missing_since"),
  },
  (table) => [index("heartbeats_missing").on(table.missing_since).where(sql`state = 'missing'`)],
);
