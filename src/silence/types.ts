import type { SilencedBy } from "../contract/silence.ts";
import type { Ctx } from "../db/ctx.ts";
import type { silences } from "../db/schema.ts";

export type SilenceRow = typeof silences.$inferSelect;

/** A firing alert, as far as silences, windows and rules judge it. */
export type Judged = { alert_id: string; alert_name: string; labels: Readonly<Record<string, string>> };

/** All that keeps alerts silent: silences of the database, windows and inhibition of the configuration. */
export type Muting = {
  /** What keeps each of these silent, by alert; with a fixed number of queries. Those that nothing does are not in it. */
  judge(ctx: Ctx, firing: readonly Judged[]): Promise<Map<string, SilencedBy[]>>;
  /** The silences and windows that are in force, as `silence:ID` and `maintenance:NAME`. */
  inForce(ctx: Ctx): Promise<string[]>;
};
