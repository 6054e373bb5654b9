import { pgTable, text } from "drizzle-orm/pg-core";
import { at } from "./columns.ts";

/** What is to be remembered of supervised processes, by their configured names; of the others there is no row. */
export const processes = pgTable("processes", {
  name: text("name").primaryKey(),
  /**
   * `starting` and `stopping`: asked for and not done yet. `stopped` on purpose holds over restarts. `down` since its own
   * watch has it for broken: its alert fires.
   */
  state: text("state", { enum: ["up", "starting", "stopping", "stopped", "down"] }).notNull(),
  since: at("since").notNull(),
  /** Why it is down, or why the latest start or stop did not come about. */
  problem: text("problem"),
  /** Who asked for the latest start or stop; null: nobody did. */
  asked_by: text("asked_by"),
  asked_by_kind: text("asked_by_kind"),
  asked_at: at("asked_at"),
  /** When the journal was last told that it is down. */
  told_at: at("told_at"),
  /** Names the start that this was told of: what is down after a later one is down anew. null: from before it was kept. */
  told_of: text("told_of"),
});
