CREATE TABLE "processes" (
	"name" text PRIMARY KEY NOT NULL,
	"state" text NOT NULL,
	"since" timestamp (3) with time zone NOT NULL,
	"problem" text,
	"asked_by" text,
	"asked_by_kind" text,
	"asked_at" timestamp (3) with time zone,
	"told_at" timestamp (3) with time zone
);
