DROP INDEX "alerts_firing_identity";--> statement-breakpoint
ALTER TABLE "alerts" ALTER COLUMN "instance_key" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "incidents" ADD COLUMN "flapping" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "incidents" ADD COLUMN "flaps" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "alerts" ADD COLUMN "identity" text;--> statement-breakpoint
ALTER TABLE "alerts" ADD COLUMN "outage" integer;--> statement-breakpoint
ALTER TABLE "alerts" ADD COLUMN "held_until" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "alerts" ADD COLUMN "began_with" text;--> statement-breakpoint
ALTER TABLE "alerts" ADD COLUMN "ended_with" text;--> statement-breakpoint
ALTER TABLE "alerts" ADD COLUMN "senders" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "alerts" ADD COLUMN "ended_by" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
CREATE INDEX "incidents_flapping" ON "incidents" USING btree ("incident_id") WHERE flapping;--> statement-breakpoint
CREATE UNIQUE INDEX "alerts_outage" ON "alerts" USING btree ("identity","outage");--> statement-breakpoint
CREATE INDEX "alerts_open" ON "alerts" USING btree ("identity") WHERE status <> 'resolved';--> statement-breakpoint
CREATE INDEX "alerts_held" ON "alerts" USING btree ("held_until") WHERE status = 'held';--> statement-breakpoint
CREATE INDEX "alerts_firing_former" ON "alerts" USING btree ("source_fingerprint") WHERE status = 'firing' and identity is null;