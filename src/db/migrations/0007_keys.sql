ALTER TABLE "incidents" ADD COLUMN "anomaly_key" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "alerts" ADD COLUMN "anomaly_key" text DEFAULT '' NOT NULL;