CREATE TABLE "server_epoch" (
	"only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"epoch" bigint NOT NULL
);
--> statement-breakpoint
DROP INDEX "approvals_waiting";--> statement-breakpoint
ALTER TABLE "resolutions" ALTER COLUMN "disposition" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "approvals" ADD COLUMN "begun_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "incidents" ADD COLUMN "escalation_level" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "incidents" ADD COLUMN "feedback" jsonb;--> statement-breakpoint
ALTER TABLE "resolutions" ADD COLUMN "through" text;--> statement-breakpoint
UPDATE "resolutions" SET "through" = CASE WHEN "execution_id" IS NOT NULL THEN 'repair' WHEN "resolved_by" LIKE '% (system)' THEN 'notice' ELSE 'person' END;--> statement-breakpoint
ALTER TABLE "resolutions" ALTER COLUMN "through" SET NOT NULL;--> statement-breakpoint
INSERT INTO "resolutions" ("incident_id", "resolution", "anomaly_key", "through", "resolved_by", "resolved_at")
  SELECT "incident_id", "resolution", "fingerprint", coalesce("resolved_through", 'notice'), 'unknown', coalesce("resolved_at", "updated_at")
    FROM "incidents" WHERE "resolution" > 0
  ON CONFLICT DO NOTHING;--> statement-breakpoint
UPDATE "approvals" SET "begun_at" = e."created_at" FROM "executions" e WHERE e."approval_id" = "approvals"."approval_id";--> statement-breakpoint
CREATE INDEX "decisions_analyzing" ON "decisions" USING btree ("created_at") WHERE state = 'analyzing';--> statement-breakpoint
CREATE INDEX "incidents_active" ON "incidents" USING btree ("incident_id") WHERE status in ('investigating', 'mitigating');--> statement-breakpoint
CREATE INDEX "incidents_resolved" ON "incidents" USING btree ("resolved_at") WHERE status = 'resolved';--> statement-breakpoint
CREATE INDEX "resolutions_key" ON "resolutions" USING btree ("anomaly_key","resolved_at");--> statement-breakpoint
CREATE INDEX "resolutions_open" ON "resolutions" USING btree ("incident_id","resolution") WHERE disposition is null;--> statement-breakpoint
CREATE INDEX "approvals_waiting" ON "approvals" USING btree ("incident_id") WHERE status in ('preparing', 'pending') or (status = 'approved' and begun_at is null);