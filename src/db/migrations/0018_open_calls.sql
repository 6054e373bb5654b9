DROP INDEX "alerts_open";--> statement-breakpoint
CREATE INDEX "alerts_open_calls" ON "alerts" USING btree ("identity","outage") WHERE status = 'firing' and instance_key is not null;--> statement-breakpoint
CREATE INDEX "alerts_over" ON "alerts" USING btree ("identity","outage") WHERE status = 'resolved';--> statement-breakpoint
CREATE INDEX "alerts_open" ON "alerts" USING btree ("identity") WHERE status <> 'resolved' and instance_key is null;