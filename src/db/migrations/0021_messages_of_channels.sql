ALTER TABLE "deliveries" ADD COLUMN "message_id" text;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "awaits_edit" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX "deliveries_messages" ON "deliveries" USING btree ("notifier","outbox_seq") WHERE message_id is not null;--> statement-breakpoint
CREATE INDEX "deliveries_awaiting_edit" ON "deliveries" USING btree ("notifier","outbox_seq") WHERE awaits_edit;--> statement-breakpoint
CREATE INDEX "deliveries_delivered" ON "deliveries" USING btree ("notifier","delivered_at") WHERE state = 'delivered';--> statement-breakpoint
CREATE INDEX "outbox_incident" ON "outbox" USING btree ("incident_id","seq");