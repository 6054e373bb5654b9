CREATE TABLE "correlation_lessons" (
	"lesson_id" text PRIMARY KEY NOT NULL,
	"fingerprint" text NOT NULL,
	"other_fingerprint" text NOT NULL,
	"lesson" text NOT NULL,
	"title" text NOT NULL,
	"other_title" text NOT NULL,
	"taught_by" text NOT NULL,
	"person_id" text NOT NULL,
	"taught_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "incident_links" (
	"incident_id" text NOT NULL,
	"other_id" text NOT NULL,
	"strength" text NOT NULL,
	"reasons" text[] NOT NULL,
	"cause_id" text,
	"cause_reason" text,
	"made_by" text NOT NULL,
	"made_at" timestamp (3) with time zone NOT NULL,
	"ended_at" timestamp (3) with time zone,
	"ended_by" text,
	CONSTRAINT "incident_links_incident_id_other_id_pk" PRIMARY KEY("incident_id","other_id")
);
--> statement-breakpoint
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
CREATE TABLE "source_calls" (
	"seq" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "source_calls_seq_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"source" text NOT NULL,
	"result" text NOT NULL,
	"sender" text NOT NULL,
	"hour" timestamp (3) with time zone NOT NULL,
	"count" bigint NOT NULL,
	"first_at" timestamp (3) with time zone NOT NULL,
	"last_at" timestamp (3) with time zone NOT NULL,
	"sample" text
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
DROP INDEX "alerts_incident";--> statement-breakpoint
ALTER TABLE "outbox" ALTER COLUMN "incident_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "incidents" ADD COLUMN "merged_into" text;--> statement-breakpoint
ALTER TABLE "alerts" ADD COLUMN "holds_until" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "alerts" ADD COLUMN "silenced_by" jsonb;--> statement-breakpoint
ALTER TABLE "receipts" ADD COLUMN "stream_id" text;--> statement-breakpoint
ALTER TABLE "correlation_lessons" ADD CONSTRAINT "correlation_lessons_person_id_people_person_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."people"("person_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "incident_links" ADD CONSTRAINT "incident_links_incident_id_incidents_incident_id_fk" FOREIGN KEY ("incident_id") REFERENCES "public"."incidents"("incident_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "incident_links" ADD CONSTRAINT "incident_links_other_id_incidents_incident_id_fk" FOREIGN KEY ("other_id") REFERENCES "public"."incidents"("incident_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "correlation_lessons_pair" ON "correlation_lessons" USING btree ("fingerprint","other_fingerprint");--> statement-breakpoint
CREATE INDEX "correlation_lessons_listing" ON "correlation_lessons" USING btree ("taught_at","lesson_id");--> statement-breakpoint
CREATE INDEX "incident_links_other" ON "incident_links" USING btree ("other_id");--> statement-breakpoint
CREATE INDEX "heartbeats_missing" ON "heartbeats" USING btree ("missing_since") WHERE state = 'missing';--> statement-breakpoint
CREATE UNIQUE INDEX "source_calls_what" ON "source_calls" USING btree ("source","result","sender","hour");--> statement-breakpoint
CREATE INDEX "source_calls_hour" ON "source_calls" USING btree ("hour","seq");--> statement-breakpoint
CREATE INDEX "silences_ends_at" ON "silences" USING btree ("ends_at");--> statement-breakpoint
CREATE INDEX "silences_listing" ON "silences" USING btree ("created_at","silence_id");--> statement-breakpoint
CREATE INDEX "incidents_effects" ON "incidents" USING btree ("merged_into") WHERE merged_into is not null;--> statement-breakpoint
CREATE INDEX "alerts_silenced" ON "alerts" USING btree ("first_received_at","alert_id") WHERE silenced_by is not null;--> statement-breakpoint
CREATE INDEX "alerts_silenced_firing" ON "alerts" USING btree ("alert_id") WHERE silenced_by is not null and status = 'firing';--> statement-breakpoint
CREATE UNIQUE INDEX "receipts_stream_id" ON "receipts" USING btree ("stream_id") WHERE stream_id is not null;--> statement-breakpoint
CREATE INDEX "alerts_incident" ON "alerts" USING btree ("incident_id","first_received_at","alert_id");--> statement-breakpoint
ALTER TABLE "incidents" ADD CONSTRAINT "incidents_not_own_effect" CHECK (merged_into <> incident_id);