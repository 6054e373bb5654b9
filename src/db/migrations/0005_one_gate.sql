CREATE TABLE "freezes" (
	"freeze_id" text PRIMARY KEY NOT NULL,
	"why" text NOT NULL,
	"frozen_by" text NOT NULL,
	"since" timestamp (3) with time zone NOT NULL,
	"until" timestamp (3) with time zone,
	"lifted_by" text,
	"lifted_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "executions" ADD COLUMN "caller" text DEFAULT 'approval_executor' NOT NULL;--> statement-breakpoint
CREATE INDEX "approvals_authority" ON "approvals" USING btree ("authority_until") WHERE status = 'approved';