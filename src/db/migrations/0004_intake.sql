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
ALTER TABLE "outbox" ALTER COLUMN "incident_id" DROP NOT NULL;--> statement-breakpoint
CREATE INDEX "heartbeats_missing" ON "heartbeats" USING btree ("missing_since") WHERE state = 'missing';