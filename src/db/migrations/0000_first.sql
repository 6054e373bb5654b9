CREATE TABLE "alerts" (
	"alert_id" text PRIMARY KEY NOT NULL,
	"instance_key" text NOT NULL,
	"source" text NOT NULL,
	"source_fingerprint" text NOT NULL,
	"fingerprint" text NOT NULL,
	"incident_id" text,
	"status" text NOT NULL,
	"alert_name" text NOT NULL,
	"alert_type" text NOT NULL,
	"severity" text,
	"alert_category" text NOT NULL,
	"notification_type" text NOT NULL,
	"cluster" text NOT NULL,
	"namespace" text NOT NULL,
	"target_resource" text NOT NULL,
	"message" text NOT NULL,
	"labels" jsonb NOT NULL,
	"annotations" jsonb NOT NULL,
	"starts_at" timestamp (3) with time zone NOT NULL,
	"ends_at" timestamp (3) with time zone,
	"generator_url" text,
	"first_received_at" timestamp (3) with time zone NOT NULL,
	"last_received_at" timestamp (3) with time zone NOT NULL,
	"deliveries" integer DEFAULT 1 NOT NULL,
	CONSTRAINT "alerts_instance_key_unique" UNIQUE("instance_key")
);
--> statement-breakpoint
CREATE TABLE "approvals" (
	"approval_id" text PRIMARY KEY NOT NULL,
	"incident_id" text NOT NULL,
	"decision_token" text NOT NULL,
	"status" text NOT NULL,
	"plan" jsonb NOT NULL,
	"plan_hash" text NOT NULL,
	"action" text NOT NULL,
	"description" text NOT NULL,
	"blast_radius" jsonb NOT NULL,
	"dry_run_checks" jsonb NOT NULL,
	"diff" text,
	"requested_by" text NOT NULL,
	"reject_reason" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"prepare_until" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone,
	"decided_at" timestamp (3) with time zone,
	"authority_until" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "audit_entries" (
	"seq" bigint PRIMARY KEY NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"actor_kind" text NOT NULL,
	"actor" text NOT NULL,
	"action" text NOT NULL,
	"subject" text NOT NULL,
	"data" jsonb NOT NULL,
	"prev_hash" text NOT NULL,
	"hash" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "decisions" (
	"token" text PRIMARY KEY NOT NULL,
	"incident_id" text NOT NULL,
	"state" text NOT NULL,
	"source" text NOT NULL,
	"rule_id" text,
	"summary" text NOT NULL,
	"confidence" real NOT NULL,
	"proposal" jsonb NOT NULL,
	"policy" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"ready_at" timestamp (3) with time zone,
	"valid_until" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "deliveries" (
	"outbox_seq" bigint NOT NULL,
	"notifier" text NOT NULL,
	"state" text NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp (3) with time zone NOT NULL,
	"delivered_at" timestamp (3) with time zone,
	"error" text,
	CONSTRAINT "deliveries_outbox_seq_notifier_pk" PRIMARY KEY("outbox_seq","notifier")
);
--> statement-breakpoint
CREATE TABLE "execution_attempts" (
	"execution_id" text NOT NULL,
	"attempt" integer NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"ended_at" timestamp (3) with time zone,
	"outcome" text,
	"sent" boolean,
	"error" text,
	CONSTRAINT "execution_attempts_execution_id_attempt_pk" PRIMARY KEY("execution_id","attempt")
);
--> statement-breakpoint
CREATE TABLE "executions" (
	"execution_id" text PRIMARY KEY NOT NULL,
	"incident_id" text NOT NULL,
	"approval_id" text NOT NULL,
	"operation" jsonb NOT NULL,
	"plan_hash" text NOT NULL,
	"status" text NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"output" text,
	"error" text,
	"error_code" text,
	"stderr" text,
	"before" jsonb,
	"verification" jsonb,
	"created_at" timestamp (3) with time zone NOT NULL,
	"started_at" timestamp (3) with time zone,
	"ended_at" timestamp (3) with time zone,
	"deadline" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "executions_approval_id_unique" UNIQUE("approval_id")
);
--> statement-breakpoint
CREATE TABLE "incidents" (
	"incident_id" text PRIMARY KEY NOT NULL,
	"fingerprint" text NOT NULL,
	"title" text NOT NULL,
	"status" text NOT NULL,
	"severity" text NOT NULL,
	"alert_category" text NOT NULL,
	"notification_type" text NOT NULL,
	"affected_services" text[] NOT NULL,
	"operation_target" jsonb,
	"hit_count" integer NOT NULL,
	"first_seen" timestamp (3) with time zone NOT NULL,
	"last_seen" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	"resolved_at" timestamp (3) with time zone,
	"closed_at" timestamp (3) with time zone,
	"owner" text,
	"acknowledged_at" timestamp (3) with time zone,
	"resolution" integer DEFAULT 0 NOT NULL,
	"resolved_through" text
);
--> statement-breakpoint
CREATE TABLE "outbox" (
	"seq" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "outbox_seq_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"topic" text NOT NULL,
	"incident_id" text NOT NULL,
	"payload" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"routed_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "people" (
	"person_id" text PRIMARY KEY NOT NULL,
	"key" text NOT NULL,
	"name" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "people_key_unique" UNIQUE("key")
);
--> statement-breakpoint
CREATE TABLE "receipts" (
	"seq" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "receipts_seq_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"source" text NOT NULL,
	"sender" text NOT NULL,
	"body" "bytea" NOT NULL,
	"received_at" timestamp (3) with time zone NOT NULL,
	"state" text DEFAULT 'received' NOT NULL,
	"alert_count" integer,
	"error" text,
	"processed_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "repair_records" (
	"execution_id" text PRIMARY KEY NOT NULL,
	"incident_id" text NOT NULL,
	"anomaly_key" text NOT NULL,
	"action" text NOT NULL,
	"success" boolean NOT NULL,
	"verification" text NOT NULL,
	"root_cause" text,
	"fix" text NOT NULL,
	"duration_ms" integer NOT NULL,
	"held" boolean DEFAULT true NOT NULL,
	"at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "resolutions" (
	"incident_id" text NOT NULL,
	"resolution" integer NOT NULL,
	"anomaly_key" text NOT NULL,
	"disposition" text NOT NULL,
	"execution_id" text,
	"resolved_by" text NOT NULL,
	"resolved_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "resolutions_incident_id_resolution_pk" PRIMARY KEY("incident_id","resolution")
);
--> statement-breakpoint
CREATE TABLE "signatures" (
	"approval_id" text NOT NULL,
	"person_id" text NOT NULL,
	"person_name" text NOT NULL,
	"role" text NOT NULL,
	"plan_hash" text NOT NULL,
	"comment" text,
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "signatures_approval_id_person_id_pk" PRIMARY KEY("approval_id","person_id")
);
--> statement-breakpoint
CREATE TABLE "timeline" (
	"seq" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "timeline_seq_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"incident_id" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"kind" text NOT NULL,
	"actor" text NOT NULL,
	"text" text NOT NULL,
	"data" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "tokens" (
	"token_id" text PRIMARY KEY NOT NULL,
	"person_id" text NOT NULL,
	"name" text NOT NULL,
	"role" text NOT NULL,
	"hash" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"created_by" text NOT NULL,
	"revoked_at" timestamp (3) with time zone,
	CONSTRAINT "tokens_hash_unique" UNIQUE("hash")
);
--> statement-breakpoint
ALTER TABLE "approvals" ADD CONSTRAINT "approvals_incident_id_incidents_incident_id_fk" FOREIGN KEY ("incident_id") REFERENCES "public"."incidents"("incident_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "decisions" ADD CONSTRAINT "decisions_incident_id_incidents_incident_id_fk" FOREIGN KEY ("incident_id") REFERENCES "public"."incidents"("incident_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "execution_attempts" ADD CONSTRAINT "execution_attempts_execution_id_executions_execution_id_fk" FOREIGN KEY ("execution_id") REFERENCES "public"."executions"("execution_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "executions" ADD CONSTRAINT "executions_incident_id_incidents_incident_id_fk" FOREIGN KEY ("incident_id") REFERENCES "public"."incidents"("incident_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "executions" ADD CONSTRAINT "executions_approval_id_approvals_approval_id_fk" FOREIGN KEY ("approval_id") REFERENCES "public"."approvals"("approval_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "resolutions" ADD CONSTRAINT "resolutions_incident_id_incidents_incident_id_fk" FOREIGN KEY ("incident_id") REFERENCES "public"."incidents"("incident_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "signatures" ADD CONSTRAINT "signatures_approval_id_approvals_approval_id_fk" FOREIGN KEY ("approval_id") REFERENCES "public"."approvals"("approval_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "signatures" ADD CONSTRAINT "signatures_person_id_people_person_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."people"("person_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "timeline" ADD CONSTRAINT "timeline_incident_id_incidents_incident_id_fk" FOREIGN KEY ("incident_id") REFERENCES "public"."incidents"("incident_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tokens" ADD CONSTRAINT "tokens_person_id_people_person_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."people"("person_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "alerts_incident" ON "alerts" USING btree ("incident_id");--> statement-breakpoint
CREATE INDEX "alerts_fingerprint" ON "alerts" USING btree ("fingerprint","first_received_at");--> statement-breakpoint
CREATE INDEX "alerts_received_at" ON "alerts" USING btree ("last_received_at");--> statement-breakpoint
CREATE UNIQUE INDEX "approvals_one_open" ON "approvals" USING btree ("incident_id") WHERE status in ('preparing', 'pending');--> statement-breakpoint
CREATE INDEX "approvals_incident" ON "approvals" USING btree ("incident_id","created_at");--> statement-breakpoint
CREATE INDEX "approvals_listing" ON "approvals" USING btree ("created_at","approval_id");--> statement-breakpoint
CREATE INDEX "approvals_waiting" ON "approvals" USING btree ("status") WHERE status in ('preparing', 'pending', 'approved');--> statement-breakpoint
CREATE INDEX "audit_subject" ON "audit_entries" USING btree ("subject","seq");--> statement-breakpoint
CREATE INDEX "decisions_incident" ON "decisions" USING btree ("incident_id","created_at");--> statement-breakpoint
CREATE INDEX "deliveries_waiting" ON "deliveries" USING btree ("next_attempt_at") WHERE state = 'waiting';--> statement-breakpoint
CREATE INDEX "executions_incident" ON "executions" USING btree ("incident_id","created_at");--> statement-breakpoint
CREATE INDEX "executions_listing" ON "executions" USING btree ("created_at","execution_id");--> statement-breakpoint
CREATE INDEX "executions_live" ON "executions" USING btree ("status") WHERE status in ('pending', 'running', 'verifying');--> statement-breakpoint
CREATE UNIQUE INDEX "incidents_one_active" ON "incidents" USING btree ("fingerprint") WHERE status in ('investigating', 'mitigating');--> statement-breakpoint
CREATE INDEX "incidents_fingerprint" ON "incidents" USING btree ("fingerprint","updated_at");--> statement-breakpoint
CREATE INDEX "incidents_listing" ON "incidents" USING btree ("created_at","incident_id");--> statement-breakpoint
CREATE INDEX "outbox_unrouted" ON "outbox" USING btree ("seq") WHERE routed_at is null;--> statement-breakpoint
CREATE INDEX "receipts_waiting" ON "receipts" USING btree ("seq") WHERE state = 'received';--> statement-breakpoint
CREATE INDEX "receipts_dead" ON "receipts" USING btree ("seq") WHERE state = 'dead';--> statement-breakpoint
CREATE INDEX "receipts_received_at" ON "receipts" USING btree ("received_at");--> statement-breakpoint
CREATE INDEX "repair_records_key" ON "repair_records" USING btree ("anomaly_key","at");--> statement-breakpoint
CREATE INDEX "timeline_incident" ON "timeline" USING btree ("incident_id","seq");