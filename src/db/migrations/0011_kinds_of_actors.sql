ALTER TABLE "approvals" ADD COLUMN "requested_by_kind" text;--> statement-breakpoint
ALTER TABLE "incident_links" ADD COLUMN "made_by_kind" text;--> statement-breakpoint
ALTER TABLE "incident_links" ADD COLUMN "ended_by_kind" text;--> statement-breakpoint
ALTER TABLE "freezes" ADD COLUMN "frozen_by_kind" text;--> statement-breakpoint
ALTER TABLE "freezes" ADD COLUMN "lifted_by_kind" text;--> statement-breakpoint
ALTER TABLE "resolutions" ADD COLUMN "resolved_by_kind" text;--> statement-breakpoint
ALTER TABLE "timeline" ADD COLUMN "actor_kind" text;--> statement-breakpoint
ALTER TABLE "playbooks" ADD COLUMN "created_by_kind" text;--> statement-breakpoint
ALTER TABLE "playbooks" ADD COLUMN "approved_by_kind" text;--> statement-breakpoint
ALTER TABLE "silences" ADD COLUMN "created_by_kind" text;--> statement-breakpoint
ALTER TABLE "silences" ADD COLUMN "ended_by_kind" text;--> statement-breakpoint
ALTER TABLE "tokens" ADD COLUMN "created_by_kind" text;--> statement-breakpoint
ALTER TABLE "tokens" ADD COLUMN "keeps_signatures" boolean DEFAULT false NOT NULL;--> statement-breakpoint
-- A part of the system and a sender were always written with their kind behind the name, and people without. Who has
-- such a name all the same is told from nothing: these rows stay without a kind.
UPDATE "timeline" SET "actor_kind" = CASE
  WHEN "actor" !~ ' \((system|sender)\)$' THEN 'person'
  WHEN NOT EXISTS (SELECT FROM "people" p WHERE p."name" = "timeline"."actor") THEN substring("actor" from ' \((system|sender)\)$') END
 WHERE "actor" IS NOT NULL;--> statement-breakpoint
UPDATE "incident_links" SET "made_by_kind" = CASE
  WHEN "made_by" !~ ' \((system|sender)\)$' THEN 'person'
  WHEN NOT EXISTS (SELECT FROM "people" p WHERE p."name" = "incident_links"."made_by") THEN substring("made_by" from ' \((system|sender)\)$') END
 WHERE "made_by" IS NOT NULL;--> statement-breakpoint
UPDATE "incident_links" SET "ended_by_kind" = CASE
  WHEN "ended_by" !~ ' \((system|sender)\)$' THEN 'person'
  WHEN NOT EXISTS (SELECT FROM "people" p WHERE p."name" = "incident_links"."ended_by") THEN substring("ended_by" from ' \((system|sender)\)$') END
 WHERE "ended_by" IS NOT NULL;--> statement-breakpoint
UPDATE "freezes" SET "frozen_by_kind" = CASE
  WHEN "frozen_by" !~ ' \((system|sender)\)$' THEN 'person'
  WHEN NOT EXISTS (SELECT FROM "people" p WHERE p."name" = "freezes"."frozen_by") THEN substring("frozen_by" from ' \((system|sender)\)$') END
 WHERE "frozen_by" IS NOT NULL;--> statement-breakpoint
UPDATE "freezes" SET "lifted_by_kind" = CASE
  WHEN "lifted_by" !~ ' \((system|sender)\)$' THEN 'person'
  WHEN NOT EXISTS (SELECT FROM "people" p WHERE p."name" = "freezes"."lifted_by") THEN substring("lifted_by" from ' \((system|sender)\)$') END
 WHERE "lifted_by" IS NOT NULL;--> statement-breakpoint
UPDATE "resolutions" SET "resolved_by_kind" = CASE
  WHEN "resolved_by" !~ ' \((system|sender)\)$' THEN 'person'
  WHEN NOT EXISTS (SELECT FROM "people" p WHERE p."name" = "resolutions"."resolved_by") THEN substring("resolved_by" from ' \((system|sender)\)$') END
 WHERE "resolved_by" IS NOT NULL;--> statement-breakpoint
UPDATE "playbooks" SET "created_by_kind" = CASE
  WHEN "created_by" !~ ' \((system|sender)\)$' THEN 'person'
  WHEN NOT EXISTS (SELECT FROM "people" p WHERE p."name" = "playbooks"."created_by") THEN substring("created_by" from ' \((system|sender)\)$') END
 WHERE "created_by" IS NOT NULL;--> statement-breakpoint
UPDATE "playbooks" SET "approved_by_kind" = CASE
  WHEN "approved_by" !~ ' \((system|sender)\)$' THEN 'person'
  WHEN NOT EXISTS (SELECT FROM "people" p WHERE p."name" = "playbooks"."approved_by") THEN substring("approved_by" from ' \((system|sender)\)$') END
 WHERE "approved_by" IS NOT NULL;--> statement-breakpoint
UPDATE "silences" SET "created_by_kind" = CASE
  WHEN "created_by" !~ ' \((system|sender)\)$' THEN 'person'
  WHEN NOT EXISTS (SELECT FROM "people" p WHERE p."name" = "silences"."created_by") THEN substring("created_by" from ' \((system|sender)\)$') END
 WHERE "created_by" IS NOT NULL;--> statement-breakpoint
UPDATE "silences" SET "ended_by_kind" = CASE
  WHEN "ended_by" !~ ' \((system|sender)\)$' THEN 'person'
  WHEN NOT EXISTS (SELECT FROM "people" p WHERE p."name" = "silences"."ended_by") THEN substring("ended_by" from ' \((system|sender)\)$') END
 WHERE "ended_by" IS NOT NULL;--> statement-breakpoint
UPDATE "approvals" SET "requested_by_kind" = CASE
  WHEN "plan"->>'authority' = 'policy' THEN 'policy'
  WHEN "requested_by" !~ '^(expert_system|playbook|learning|consensus_engine|llm_.*)$' THEN 'person'
  WHEN NOT EXISTS (SELECT FROM "people" p WHERE p."name" = "approvals"."requested_by") THEN 'system' END;--> statement-breakpoint
-- A person may have been called as the configuration is: the ledger says who it was.
UPDATE "tokens" SET "created_by_kind" = (SELECT e."actor_kind" FROM "audit_entries" e
  WHERE e."subject" = "tokens"."token_id" AND e."action" = 'access.created' ORDER BY e."seq" LIMIT 1);
