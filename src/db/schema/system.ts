import { sql } from "drizzle-orm";
import { bigint, boolean, index, integer, jsonb, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { serialColumn, timeColumn } from "./columns.ts";

/** Notices to be delivered; routing creates one delivery per notifier. */
export const outbox = pgTable(
  "outbox",
  {
    seq: serialColumn("seq").primaryKey(),
    topic: text("topic").notNull(),
    incident_id: text("incident_id"),
    payload: jsonb("payload").$type<Record<string, unknown>>().notNull(),
    created_at: timeColumn("created_at").notNull(),
    routed_at: timeColumn("routed_at"),
  },
  (table) => [
    index("outbox_unrouted").on(table.seq).where(sql`routed_at is null`),
    index("outbox_created_at").on(table.created_at),
    index("outbox_incident").on(table.incident_id, table.seq),
  ],
);

export const deliveries = pgTable(
  "deliveries",
  {
    outbox_seq: bigint("outbox_seq", { mode: "number" }).notNull(),
    notifier: text("notifier").notNull(),
    state: text("state", { enum: ["waiting", "delivered", "failed", "silenced"] }).notNull(),
    attempts: integer("attempts").notNull().default(0),
    next_attempt_at: timeColumn("next_attempt_at").notNull(),
    delivered_at: timeColumn("delivered_at"),
    error: text("error"),
    /** The channel's own name for the delivered message, if it has one. */
    message_id: text("message_id"),
    /** Whether the message asks people to sign a plan, and is to be edited once they no longer can. */
    awaits_edit: boolean("awaits_edit").notNull().default(false),
  },
  (table) => [
    primaryKey({ columns: [table.outbox_seq, table.notifier] }),
    index("deliveries_waiting").on(table.next_attempt_at).where(sql`state = 'waiting'`),
    index("deliveries_messages").on(table.notifier, table.outbox_seq).where(sql`message_id is not null`),
    index("deliveries_awaiting_edit").on(table.notifier, table.outbox_seq).where(sql`awaits_edit`),
    index("deliveries_delivered").on(table.notifier, table.delivered_at).where(sql`state = 'delivered'`),
  ],
);

/** The audit ledger; a trigger refuses updates and deletions. */
export const audit_entries = pgTable(
  "audit_entries",
  {
    seq: bigint("seq", { mode: "number" }).primaryKey(),
    at: timeColumn("at").notNull(),
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

export const people = pgTable("people", {
  person_id: text("person_id").primaryKey(),
  /** The name folded for comparison, so that two spellings of a name are one person. */
  key: text("key").notNull().unique(),
  name: text("name").notNull(),
  created_at: timeColumn("created_at").notNull(),
});

export const tokens = pgTable("tokens", {
  token_id: text("token_id").primaryKey(),
  person_id: text("person_id")
    .notNull()
    .references(() => people.person_id),
  name: text("name").notNull(),
  role: text("role", { enum: ["viewer", "responder", "approver", "admin"] }).notNull(),
  /** SHA-256 of the token, which has 256 random bits: a slow hash is unnecessary. */
  hash: text("hash").notNull().unique(),
  created_at: timeColumn("created_at").notNull(),
  created_by: text("created_by").notNull(),
  created_by_kind: text("created_by_kind"),
  revoked_at: timeColumn("revoked_at"),
  /** Signatures that were made before the revocation stay valid. */
  keeps_signatures: boolean("keeps_signatures").notNull().default(false),
});

/** Requests with an `Idempotency-Key`, and their answers. */
export const idempotency_keys = pgTable(
  "idempotency_keys",
  {
    /** The caller: two callers may choose the same key. */
    scope: text("scope").notNull(),
    key: text("key").notNull(),
    /** SHA-256 of the request. */
    request: text("request").notNull(),
    /** JSON; null if the answer is not stored. */
    answer: text("answer"),
    created_at: timeColumn("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.scope, table.key] }),
    index("idempotency_keys_age").on(table.created_at),
  ],
);

/** One row: the fencing token of the present server. Each server that takes over the database increments it. */
export const server_epoch = pgTable("server_epoch", {
  only: boolean("only").primaryKey().default(true),
  epoch: bigint("epoch", { mode: "number" }).notNull(),
});
