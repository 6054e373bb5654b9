ALTER TABLE "playbooks" ADD COLUMN "approved_by_person" text;--> statement-breakpoint
ALTER TABLE "playbooks" ADD COLUMN "approved_at" timestamp (3) with time zone;