ALTER TABLE "alerts" ADD COLUMN "same_as" text;--> statement-breakpoint
CREATE INDEX "alerts_firing_labels" ON "alerts" USING hash ("labels") WHERE status = 'firing' and instance_key is null;--> statement-breakpoint
CREATE INDEX "alerts_same_as" ON "alerts" USING btree ("same_as") WHERE same_as is not null;