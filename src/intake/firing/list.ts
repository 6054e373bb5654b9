import { authorise } from "../../access/index.ts";
import type { Matcher } from "../../contract/matcher.ts";
import type { Ctx } from "../../db/ctx.ts";
import { compileMatchers } from "../../lib/matchers.ts";
import { firingIds, firingRows } from "./store.ts";

// Number of the newest alerts that are searched: a bound on what a storm may put on a person's page.
const LOOKED_AT = 5_000;
// An alert has up to 100,000 characters of labels and annotations.
const PAGE = 16;

export type FiringAlert = Awaited<ReturnType<typeof firingRows>>[number];

/**
 * Yields the firing alerts that fit all of `matchers`, newest first, among the 5,000 newest that have the labels required by
 * equality. Pages hold at most 16, each read when it is asked for, with no transaction open in between.
 */
export async function* firingAlerts(ctx: Ctx, matchers: readonly Matcher[]): AsyncGenerator<FiringAlert[]> {
  authorise(ctx.actor, "read alerts", { people: "viewer", senders: true });
  const fits = compileMatchers(matchers);
  // A matcher with an empty value also fits alerts without the label, so it is not looked up.
  const named = matchers.filter(({ is_regex, is_equal, value }) => is_equal && !is_regex && value !== "");
  const labels = Object.fromEntries(named.map(({ name, value }) => [name, value]));
  const ids = await firingIds(ctx, labels, LOOKED_AT);
  for (let at = 0; at < ids.length; at += PAGE) {
    const rows = await firingRows(ctx, ids.slice(at, at + PAGE));
    yield rows.filter((row) => fits(row.labels));
  }
}
