ALTER TABLE "receipts" ADD COLUMN "stream_id" text;--> statement-breakpoint
CREATE UNIQUE INDEX "receipts_stream_id" ON "receipts" USING btree ("stream_id") WHERE stream_id is not null;