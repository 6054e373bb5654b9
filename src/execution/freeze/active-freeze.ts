import type { Ctx } from "../../db/ctx.ts";
import { isWithin } from "../../lib/time-interval.ts";
import { type Refusal, refusal } from "../gate/refusals.ts";
import type { FreezeWindow } from "./settings.ts";
import { type FreezeRow, standingFreezes } from "./store.ts";

export type FreezeTerms = { frozen: boolean; freeze_windows: readonly FreezeWindow[] };

/** Returns the freeze windows that are open at `now`. */
export function openWindows(
  { freeze_windows }: Pick<FreezeTerms, "freeze_windows">,
  now: Date,
): FreezeWindow[] {
  return freeze_windows.filter((one) => one.time_intervals.some((interval) => isWithin(interval, now)));
}

/** Returns a text such as `by ada until 2026-07-01T12:00:00.000Z: the database is being moved`. */
function freezeInWords({ frozen_by, until, why }: FreezeRow): string {
  const end = until === null ? "until it is lifted" : `until ${until.toISOString()}`;
  return `by ${frozen_by} ${end}: ${why}`;
}

/** Returns the refusal of an active freeze, if any: set by the configuration, by people, or by a freeze window. */
export async function activeFreeze(ctx: Ctx, terms: FreezeTerms): Promise<Refusal | undefined> {
  if (terms.frozen) return refusal("frozen", "changes are frozen by the configuration (execution.frozen)");
  const [freeze] = await standingFreezes(ctx);
  if (freeze !== undefined) return refusal("frozen", `changes are frozen ${freezeInWords(freeze)}`);
  const [window] = openWindows(terms, ctx.clock.now());
  if (window === undefined) return undefined;
  return refusal("freeze_window", `changes are frozen in the window ${window.name}: ${window.why}`);
}
