DROP INDEX "alerts_received_at";--> statement-breakpoint
DROP INDEX "receipts_received_at";--> statement-breakpoint
CREATE INDEX "alerts_firing" ON "alerts" USING btree ("incident_id") WHERE status = 'firing';--> statement-breakpoint
CREATE INDEX "alerts_received_at" ON "alerts" USING brin ("first_received_at");--> statement-breakpoint
CREATE INDEX "receipts_received_at" ON "receipts" USING brin ("received_at");