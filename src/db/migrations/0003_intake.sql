CREATE TABLE "heartbeats" (
	"heartbeat_id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"source" text,
	"expected" boolean NOT NULL,
	"severity" text NOT NULL,
	"state" text DEFAULT 'alive' NOT NULL,
	"interval" real NOT NULL,
	"longest_gap" real DEFAULT 0 NOT NULL,
	"watched_since" timestamp (3) with time zone NOT NULL,
	"last_heard_at" timestamp (3) with time zone,
	"missing_since" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "inhibitors" (
	"key" text NOT NULL,
	"alert_id" text NOT NULL,
	CONSTRAINT "inhibitors_key_alert_id_pk" PRIMARY KEY("key","alert_id")
);
--> statement-breakpoint
CREATE TABLE "silence_changes" (
	"only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"version" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "silences" (
	"silence_id" text PRIMARY KEY NOT NULL,
	"matchers" jsonb NOT NULL,
	"starts_at" timestamp (3) with time zone NOT NULL,
	"ends_at" timestamp (3) with time zone NOT NULL,
	"created_by" text NOT NULL,
	"comment" text NOT NULL,
	"incident_id" text,
	"ended_by" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "outbox" ALTER COLUMN "incident_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "alerts" ADD COLUMN "holds_until" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "alerts" ADD COLUMN "silenced_by" jsonb;--> statement-breakpoint
CREATE INDEX "heartbeats_missing" ON "heartbeats" USING btree ("missing_since") WHERE state = 'missing';--> statement-breakpoint
CREATE INDEX "silences_ends_at" ON "silences" USING btree ("ends_at");--> statement-breakpoint
CREATE INDEX "silences_listing" ON "silences" USING btree ("created_at","silence_id");--> statement-breakpoint
CREATE INDEX "alerts_silenced" ON "alerts" USING btree ("first_received_at","alert_id") WHERE silenced_by is not null;--> statement-breakpoint
CREATE INDEX "alerts_silenced_firing" ON "alerts" USING btree ("alert_id") WHERE silenced_by is not null and status = 'firing';