CREATE TABLE "idempotency_keys" (
	"scope" text NOT NULL,
	"key" text NOT NULL,
	"request" text NOT NULL,
	"answer" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "idempotency_keys_scope_key_pk" PRIMARY KEY("scope","key")
);
--> statement-breakpoint
DROP INDEX "alerts_received_at";--> statement-breakpoint
DROP INDEX "incidents_fingerprint";--> statement-breakpoint
ALTER TABLE "receipts" ADD COLUMN "idempotency_key" text;--> statement-breakpoint
ALTER TABLE "receipts" ADD COLUMN "replays" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX "idempotency_keys_age" ON "idempotency_keys" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "alerts_firing" ON "alerts" USING btree ("incident_id") WHERE status = 'firing';--> statement-breakpoint
CREATE INDEX "decisions_analyzing" ON "decisions" USING btree ("created_at") WHERE state = 'analyzing';--> statement-breakpoint
CREATE INDEX "incidents_ended" ON "incidents" USING btree ("resolved_at") WHERE status in ('resolved', 'closed');--> statement-breakpoint
CREATE INDEX "outbox_created_at" ON "outbox" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "repair_records_at" ON "repair_records" USING btree ("at");--> statement-breakpoint
CREATE INDEX "repair_records_rank" ON "repair_records" USING btree ("anomaly_key","action","at");--> statement-breakpoint
CREATE INDEX "alerts_received_at" ON "alerts" USING btree ("first_received_at");--> statement-breakpoint
CREATE INDEX "incidents_fingerprint" ON "incidents" USING btree ("fingerprint","created_at");--> statement-breakpoint
-- Room in each page for what is counted again and again: such an update then writes to no index.
ALTER TABLE "alerts" SET (fillfactor = 85);--> statement-breakpoint
ALTER TABLE "incidents" SET (fillfactor = 70);
