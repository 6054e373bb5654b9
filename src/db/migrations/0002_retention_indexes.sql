CREATE INDEX "incidents_ended" ON "incidents" USING btree ("updated_at") WHERE status in ('resolved', 'closed');--> statement-breakpoint
CREATE INDEX "outbox_created_at" ON "outbox" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "repair_records_at" ON "repair_records" USING btree ("at");--> statement-breakpoint
CREATE INDEX "repair_records_rank" ON "repair_records" USING btree ("anomaly_key","action","at");