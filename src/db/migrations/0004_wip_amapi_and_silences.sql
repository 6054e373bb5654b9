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
ALTER TABLE "alerts" ADD COLUMN "silenced_by" jsonb;--> statement-breakpoint
CREATE INDEX "silences_ends_at" ON "silences" USING btree ("ends_at");--> statement-breakpoint
CREATE INDEX "silences_listing" ON "silences" USING btree ("created_at","silence_id");--> statement-breakpoint
CREATE INDEX "alerts_silenced" ON "alerts" USING btree ("first_received_at","alert_id") WHERE silenced_by is not null;--> statement-breakpoint
CREATE INDEX "alerts_silenced_firing" ON "alerts" USING btree ("alert_id") WHERE silenced_by is not null and status = 'firing';