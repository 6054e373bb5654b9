CREATE TABLE "source_calls" (
	"seq" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "source_calls_seq_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"source" text NOT NULL,
	"result" text NOT NULL,
	"sender" text NOT NULL,
	"hour" timestamp (3) with time zone NOT NULL,
	"count" bigint NOT NULL,
	"first_at" timestamp (3) with time zone NOT NULL,
	"last_at" timestamp (3) with time zone NOT NULL,
	"sample" text
);
--> statement-breakpoint
CREATE UNIQUE INDEX "source_calls_what" ON "source_calls" USING btree ("source","result","sender","hour");--> statement-breakpoint
CREATE INDEX "source_calls_hour" ON "source_calls" USING btree ("hour","seq");