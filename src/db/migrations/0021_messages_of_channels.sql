ALTER TABLE "deliveries" ADD COLUMN "message_id" text;--> statement-breakpoint
CREATE INDEX "deliveries_messages" ON "deliveries" USING btree ("notifier","outbox_seq") WHERE message_id is not null;--> statement-breakpoint
CREATE INDEX "outbox_incident" ON "outbox" USING btree ("incident_id","seq");