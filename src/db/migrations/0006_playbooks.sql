CREATE TABLE "playbooks" (
	"playbook_id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"description" text NOT NULL,
	"status" text NOT NULL,
	"pattern" jsonb NOT NULL,
	"steps" jsonb NOT NULL,
	"runs" integer DEFAULT 0 NOT NULL,
	"successes" integer DEFAULT 0 NOT NULL,
	"failures" integer DEFAULT 0 NOT NULL,
	"trust" real DEFAULT 0 NOT NULL,
	"source" text NOT NULL,
	"created_by" text NOT NULL,
	"approved_by" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "playbooks_name_unique" UNIQUE("name")
);
--> statement-breakpoint
ALTER TABLE "executions" DROP CONSTRAINT "executions_approval_id_unique";--> statement-breakpoint
ALTER TABLE "executions" ADD COLUMN "step" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
CREATE INDEX "playbooks_listing" ON "playbooks" USING btree ("created_at","playbook_id");--> statement-breakpoint
CREATE INDEX "playbooks_status" ON "playbooks" USING btree ("status");--> statement-breakpoint
CREATE UNIQUE INDEX "executions_step" ON "executions" USING btree ("approval_id","step");