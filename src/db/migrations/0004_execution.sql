CREATE TABLE "investigations" (
	"seq" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "investigations_seq_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"incident_id" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"target" jsonb,
	"evidence" jsonb NOT NULL,
	"findings" jsonb NOT NULL,
	"missing" jsonb NOT NULL
);
--> statement-breakpoint
ALTER TABLE "executions" ADD COLUMN "undo" jsonb;--> statement-breakpoint
ALTER TABLE "executions" ADD COLUMN "undoes" text;--> statement-breakpoint
ALTER TABLE "executions" ADD COLUMN "undone_by" text;--> statement-breakpoint
ALTER TABLE "timeline" ADD COLUMN "event" text;--> statement-breakpoint
ALTER TABLE "investigations" ADD CONSTRAINT "investigations_incident_id_incidents_incident_id_fk" FOREIGN KEY ("incident_id") REFERENCES "public"."incidents"("incident_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "investigations_incident" ON "investigations" USING btree ("incident_id","seq");--> statement-breakpoint
CREATE INDEX "timeline_events" ON "timeline" USING btree ("at","seq") WHERE event is not null;