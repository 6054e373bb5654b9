import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  customType,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  real,
  text,
  timestamp,
  uniqueIndex,
} from "drizzle-orm/pg-core";

const bytes = customType<{ data: Buffer }>({ dataType: () => "bytea" });
const at = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: "date" });
const serial = (name: string) => bigint(name, { mode: "number" }).generatedAlwaysAsIdentity();

/** The journal: one row per webhook call, as it came. */
export const receipts = pgTable(
  "receipts",
  {
    seq: serial("seq").primaryKey(),
    source: text("source").notNull(),
    sender: text("sender").notNull(),
    body: bytes("body").notNull(),
    received_at: at("received_at").notNull(),
    state: text("state", { enum: ["received", "processed", "dead"] })
      .notNull()
      .default("received"),
    alert_count: integer("alert_count"),
    error: text("error"),
    processed_at: at("processed_at"),
  },
  (table) => [
    index("receipts_waiting").on(table.seq).where(sql`state = 'received'`),
    index("receipts_dead").on(table.seq).where(sql`state = 'dead'`),
    index("receipts_received_at").on(table.received_at),
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
    index("alerts_fingerprint").on(table.fingerprint, table.first_received_at),
    index("alerts_received_at").on(table.last_received_at),
  ],
);

export const incidents = pgTable(
  "incidents",
  {
    incident_id: text("incident_id").primaryKey(),
    fingerprint: text("fingerprint").notNull(),
    title: text("title").notNull(),
    status: text("status", { enum: ["investigating", "mitigating", "resolved", "closed"] }).notNull(),
    severity: text("severity", { enum: ["P0", "P1", "P2", "P3"] }).notNull(),
    alert_category: text("alert_category").notNull(),
    notification_type: text("notification_type").notNull(),
    affected_services: text("affected_services").array().notNull(),
    operation_target: jsonb("operation_target").$type<Record<string, unknown>>(),
    hit_count: integer("hit_count").notNull(),
    first_seen: at("first_seen").notNull(),
    last_seen: at("last_seen").notNull(),
    created_at: at("created_at").notNull(),
    updated_at: at("updated_at").notNull(),
    resolved_at: at("resolved_at"),
    closed_at: at("closed_at"),
    owner: text("owner"),
    acknowledged_at: at("acknowledged_at"),
    /** 1 to 4: how often this trouble has come back of late. */
    escalation_level: integer("escalation_level").notNull().default(1),
    /** What people say of how it was handled. */
    feedback: jsonb("feedback").$type<Record<string, unknown>>(),
    /** How often it was resolved: the number of its latest resolution record. */
    resolution: integer("resolution").notNull().default(0),
    resolved_through: text("resolved_through", { enum: ["repair", "notice", "person", "silence"] }),
  },
  (table) => [
    uniqueIndex("incidents_one_active")
      .on(table.fingerprint)
      .where(sql`status in ('investigating', 'mitigating')`),
    index("incidents_fingerprint").on(table.fingerprint, table.updated_at),
    index("incidents_listing").on(table.created_at, table.incident_id),
    index("incidents_active").on(table.incident_id).where(sql`status in ('investigating', 'mitigating')`),
    index("incidents_resolved").on(table.resolved_at).where(sql`status = 'resolved'`),
  ],
);

export const timeline = pgTable(
  "timeline",
  {
    seq: serial("seq").primaryKey(),
    incident_id: text("incident_id")
      .notNull()
      .references(() => incidents.incident_id),
    at: at("at").notNull(),
    kind: text("kind").notNull(),
    actor: text("actor").notNull(),
    text: text("text").notNull(),
    data: jsonb("data").$type<Record<string, unknown>>().notNull(),
  },
  (table) => [index("timeline_incident").on(table.incident_id, table.seq)],
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
    created_at: at("created_at").notNull(),
    ready_at: at("ready_at"),
    valid_until: at("valid_until").notNull(),
  },
  (table) => [
    index("decisions_incident").on(table.incident_id, table.created_at),
    index("decisions_analyzing").on(table.created_at).where(sql`state = 'analyzing'`),
  ],
);

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
    reject_reason: text("reject_reason"),
    created_at: at("created_at").notNull(),
    /** While preparing: when it becomes pending whatever is still missing. */
    prepare_until: at("prepare_until").notNull(),
    expires_at: at("expires_at"),
    decided_at: at("decided_at"),
    /** Until when the signatures are authority to act. */
    authority_until: at("authority_until"),
    /** When its execution began: from then on that has the state that moves. */
    begun_at: at("begun_at"),
  },
  (table) => [
    uniqueIndex("approvals_one_open").on(table.incident_id).where(sql`status in ('preparing', 'pending')`),
    index("approvals_incident").on(table.incident_id, table.created_at),
    index("approvals_listing").on(table.created_at, table.approval_id),
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
    at: at("at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.approval_id, table.person_id] })],
);

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
      .references(() => approvals.approval_id)
      .unique(),
    operation: jsonb("operation").$type<Record<string, unknown>>().notNull(),
    plan_hash: text("plan_hash").notNull(),
    status: text("status", {
      enum: ["pending", "running", "verifying", "success", "failed", "refused"],
    }).notNull(),
    attempts: integer("attempts").notNull().default(0),
    output: text("output"),
    error: text("error"),
    error_code: text("error_code"),
    stderr: text("stderr"),
    /** What was there before, as the executor and the observer saw it. */
    before: jsonb("before").$type<Record<string, unknown>>(),
    verification: jsonb("verification").$type<Record<string, unknown>>(),
    created_at: at("created_at").notNull(),
    started_at: at("started_at"),
    ended_at: at("ended_at"),
    deadline: at("deadline").notNull(),
  },
  (table) => [
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
  (table) => [index("repair_records_key").on(table.anomaly_key, table.at)],
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
    resolved_at: at("resolved_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.incident_id, table.resolution] }),
    index("resolutions_key").on(table.anomaly_key, table.resolved_at),
    index("resolutions_open").on(table.incident_id, table.resolution).where(sql`disposition is null`),
  ],
);

/** What must be told; expanded into deliveries, one for each notifier. */
export const outbox = pgTable(
  "outbox",
  {
    seq: serial("seq").primaryKey(),
    topic: text("topic").notNull(),
    incident_id: text("incident_id").notNull(),
    payload: jsonb("payload").$type<Record<string, unknown>>().notNull(),
    created_at: at("created_at").notNull(),
    routed_at: at("routed_at"),
  },
  (table) => [index("outbox_unrouted").on(table.seq).where(sql`routed_at is null`)],
);

export const deliveries = pgTable(
  "deliveries",
  {
    outbox_seq: bigint("outbox_seq", { mode: "number" }).notNull(),
    notifier: text("notifier").notNull(),
    state: text("state", { enum: ["waiting", "delivered", "failed"] }).notNull(),
    attempts: integer("attempts").notNull().default(0),
    next_attempt_at: at("next_attempt_at").notNull(),
    delivered_at: at("delivered_at"),
    error: text("error"),
  },
  (table) => [
    primaryKey({ columns: [table.outbox_seq, table.notifier] }),
    index("deliveries_waiting").on(table.next_attempt_at).where(sql`state = 'waiting'`),
  ],
);

/** The ledger; a trigger refuses to change or delete what is written. */
export const audit_entries = pgTable(
  "audit_entries",
  {
    seq: bigint("seq", { mode: "number" }).primaryKey(),
    at: at("at").notNull(),
    actor_kind: text("actor_kind").notNull(),
    actor: text("actor").notNull(),
    action: text("action").notNull(),
    subject: text("subject").notNull(),
    data: jsonb("data").$type<Record<string, unknown>>().notNull(),
    prev_hash: text("prev_hash").notNull(),
    hash: text("hash").notNull(),
  },
  (table) => [index("audit_subject").on(table.subject, table.seq)],
);

/** One row: which server of this database is the present one. Each that takes over counts it up. */
export const server_epoch = pgTable("server_epoch", {
  only: boolean("only").primaryKey().default(true),
  epoch: bigint("epoch", { mode: "number" }).notNull(),
});

export const people = pgTable("people", {
  person_id: text("person_id").primaryKey(),
  /** Folded for comparison: two spellings of one name are one person. */
  key: text("key").notNull().unique(),
  name: text("name").notNull(),
  created_at: at("created_at").notNull(),
});

export const tokens = pgTable("tokens", {
  token_id: text("token_id").primaryKey(),
  person_id: text("person_id")
    .notNull()
    .references(() => people.person_id),
  name: text("name").notNull(),
  role: text("role", { enum: ["viewer", "responder", "approver", "admin"] }).notNull(),
  /** SHA-256 of the token: it carries 256 bits of randomness, so no slow hash is needed. */
  hash: text("hash").notNull().unique(),
  created_at: at("created_at").notNull(),
  created_by: text("created_by").notNull(),
  revoked_at: at("revoked_at"),
});
