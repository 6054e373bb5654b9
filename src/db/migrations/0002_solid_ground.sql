CREATE TABLE "idempotency_keys" (
	"scope" text NOT NULL,
	"key" text NOT NULL,
	"request" text NOT NULL,
	"answer" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "idempotency_keys_scope_key_pk" PRIMARY KEY("scope","key")
);
--> statement-breakpoint
CREATE TABLE "server_epoch" (
	"only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"epoch" bigint NOT NULL
);
--> statement-breakpoint
DROP INDEX "alerts_received_at";--> statement-breakpoint
DROP INDEX "approvals_waiting";--> statement-breakpoint
DROP INDEX "incidents_fingerprint";--> statement-breakpoint
ALTER TABLE "resolutions" ALTER COLUMN "disposition" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "approvals" ADD COLUMN "begun_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "incidents" ADD COLUMN "escalation_level" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "incidents" ADD COLUMN "feedback" jsonb;--> statement-breakpoint
ALTER TABLE "receipts" ADD COLUMN "idempotency_key" text;--> statement-breakpoint
ALTER TABLE "receipts" ADD COLUMN "replays" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX "idempotency_keys_age" ON "idempotency_keys" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "alerts_firing_identity" ON "alerts" USING btree ("fingerprint","source_fingerprint") WHERE status = 'firing';--> statement-breakpoint
CREATE INDEX "alerts_firing" ON "alerts" USING btree ("incident_id") WHERE status = 'firing';--> statement-breakpoint
CREATE INDEX "decisions_analyzing" ON "decisions" USING btree ("created_at") WHERE state = 'analyzing';--> statement-breakpoint
CREATE INDEX "executions_cut_short" ON "executions" USING btree ("execution_id") WHERE status = 'refused' and attempts > 0;--> statement-breakpoint
CREATE INDEX "incidents_ended" ON "incidents" USING btree ("resolved_at") WHERE status in ('resolved', 'closed');--> statement-breakpoint
CREATE INDEX "incidents_active" ON "incidents" USING btree ("incident_id") WHERE status in ('investigating', 'mitigating');--> statement-breakpoint
CREATE INDEX "incidents_resolved" ON "incidents" USING btree ("resolved_at") WHERE status = 'resolved';--> statement-breakpoint
CREATE INDEX "outbox_created_at" ON "outbox" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "repair_records_at" ON "repair_records" USING btree ("at");--> statement-breakpoint
CREATE INDEX "repair_records_rank" ON "repair_records" USING btree ("anomaly_key","action","at");--> statement-breakpoint
CREATE INDEX "resolutions_key" ON "resolutions" USING btree ("anomaly_key","resolved_at");--> statement-breakpoint
CREATE INDEX "resolutions_open" ON "resolutions" USING btree ("incident_id","resolution") WHERE disposition is null;--> statement-breakpoint
CREATE INDEX "alerts_received_at" ON "alerts" USING btree ("first_received_at");--> statement-breakpoint
CREATE INDEX "approvals_waiting" ON "approvals" USING btree ("incident_id") WHERE status in ('preparing', 'pending') or (status = 'approved' and begun_at is null);--> statement-breakpoint
CREATE INDEX "incidents_fingerprint" ON "incidents" USING btree ("fingerprint","created_at");--> statement-breakpoint
ALTER TABLE "resolutions" ADD COLUMN "through" text;--> statement-breakpoint
UPDATE "resolutions" SET "through" = CASE WHEN "execution_id" IS NOT NULL THEN 'repair' WHEN "resolved_by" LIKE '% (system)' THEN 'notice' ELSE 'person' END;--> statement-breakpoint
ALTER TABLE "resolutions" ALTER COLUMN "through" SET NOT NULL;--> statement-breakpoint
INSERT INTO "resolutions" ("incident_id", "resolution", "anomaly_key", "through", "resolved_by", "resolved_at")
  SELECT "incident_id", "resolution", "fingerprint", coalesce("resolved_through", 'notice'), 'unknown', coalesce("resolved_at", "updated_at")
    FROM "incidents" WHERE "resolution" > 0
  ON CONFLICT DO NOTHING;--> statement-breakpoint
UPDATE "approvals" SET "begun_at" = e."created_at" FROM "executions" e WHERE e."approval_id" = "approvals"."approval_id";--> statement-breakpoint
-- Room in each page for what is counted again and again: such an update then writes to no index.
ALTER TABLE "alerts" SET (fillfactor = 85);--> statement-breakpoint
ALTER TABLE "incidents" SET (fillfactor = 70);
