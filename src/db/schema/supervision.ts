import { pgTable, text } from "drizzle-orm/pg-core";
import { timeColumn } from "./columns.ts";

/** State of supervised processes by configured name; a process without anything to remember has no row. */
export const processes = pgTable("processes", {
  name: text("name").primaryKey(),
  /**
   * `starting` and `stopping`: requested and not done yet. `stopped`: on purpose, also after a restart. `down`: the
   * watch over processes found it broken, and its alert fires.
   */
  state: text("state", { enum: ["up", "starting", "stopping", "stopped", "down"] }).notNull(),
  since: timeColumn("since").notNull(),
  /** Why it is down, or why the latest start or stop failed. */
  problem: text("problem"),
  /** The actor that requested the latest start or stop; null: none was requested. */
  asked_by: text("asked_by"),
  asked_by_kind: text("asked_by_kind"),
  asked_at: timeColumn("asked_at"),
  /** When its alert was last written to the journal. */
  told_at: timeColumn("told_at"),
  /** The start of the process that this alert was about: down after a later start is a new outage. null in older rows. */
  told_of: text("told_of"),
});
