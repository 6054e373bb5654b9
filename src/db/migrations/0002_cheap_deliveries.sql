DROP INDEX "alerts_received_at";--> statement-breakpoint
DROP INDEX "incidents_fingerprint";--> statement-breakpoint
DROP INDEX "receipts_received_at";--> statement-breakpoint
CREATE INDEX "alerts_firing" ON "alerts" USING btree ("incident_id") WHERE status = 'firing';--> statement-breakpoint
CREATE INDEX "alerts_received_at" ON "alerts" USING brin ("first_received_at");--> statement-breakpoint
CREATE INDEX "incidents_fingerprint" ON "incidents" USING btree ("fingerprint","created_at");--> statement-breakpoint
CREATE INDEX "receipts_received_at" ON "receipts" USING brin ("received_at");--> statement-breakpoint
-- Room in each page for what is counted again and again: such an update then writes to no index.
ALTER TABLE "alerts" SET (fillfactor = 85);--> statement-breakpoint
ALTER TABLE "incidents" SET (fillfactor = 70);
