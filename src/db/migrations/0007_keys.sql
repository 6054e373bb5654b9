ALTER TABLE "incidents" ADD COLUMN "anomaly_key" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "incidents" ADD COLUMN "key_version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "alerts" ADD COLUMN "anomaly_key" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "alerts" ADD COLUMN "key_version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
CREATE INDEX "alerts_anomaly" ON "alerts" USING btree ("anomaly_key","first_received_at");