CREATE TABLE "alert_log" (
	"seq" bigint PRIMARY KEY DEFAULT nextval('timeline_seq_seq') NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"receipt" bigint,
	"alert_id" text NOT NULL,
	"incident_id" text,
	"outcome" text NOT NULL,
	"detail" text,
	"alert_name" text NOT NULL,
	"labels" jsonb NOT NULL,
	"alerts" integer DEFAULT 1 NOT NULL
);
--> statement-breakpoint
ALTER TABLE "incidents" ADD COLUMN "frequency" jsonb;--> statement-breakpoint
CREATE INDEX "alert_log_listing" ON "alert_log" USING btree ("at","seq");--> statement-breakpoint
CREATE INDEX "alert_log_known" ON "alert_log" USING btree ("at") WHERE outcome = 'known';--> statement-breakpoint
CREATE INDEX "alert_log_incident" ON "alert_log" USING btree ("incident_id","at") WHERE incident_id is not null;