import type { SilencedBy } from "../contract/silence.ts";
import type { Ctx } from "../db/ctx.ts";
import type { silences } from "../db/schema.ts";

export type SilenceRow = typeof silences.$inferSelect;

/** The fields of a firing alert that silences, windows and inhibition rules look at. */
export type FiringLabels = { alert_id: string; alert_name: string; labels: Readonly<Record<string, string>> };

/** Everything that keeps alerts silent: silences in the database, windows and inhibition rules of the configuration. */
export type Muting = {
  /** Returns what keeps each alert silent, with a fixed number of queries. Alerts that nothing silences are missing. */
  silencedBy(ctx: Ctx, firing: readonly FiringLabels[]): Promise<Map<string, SilencedBy[]>>;
  /** Returns the silences and windows in force, as `silence:ID` and `maintenance:NAME`. */
  inForce(ctx: Ctx): Promise<string[]>;
};
