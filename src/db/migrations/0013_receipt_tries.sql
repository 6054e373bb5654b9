ALTER TABLE "alerts" ADD COLUMN "said_with" text;--> statement-breakpoint
ALTER TABLE "receipts" ADD COLUMN "tries" integer DEFAULT 1 NOT NULL;