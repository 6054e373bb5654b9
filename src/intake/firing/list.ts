import { authorise } from "../../access/index.ts";
import type { Matcher } from "../../contract/matcher.ts";
import type { Ctx } from "../../db/ctx.ts";
import { compileMatchers } from "../../lib/matchers.ts";
import { firingIds, firingRows } from "./store.ts";

// Of so many of the newest those that fit are looked for: what a storm may leave on the page of a person.
const LOOKED_AT = 5_000;
// An alert has up to 100,000 characters of labels and annotations.
const PAGE = 16;

export type FiringAlert = Awaited<ReturnType<typeof firingRows>>[number];

/**
 * The alerts that fire and fit all of `matchers`, newest first; among the 5,000 newest with the labels asked for. In
 * pages of 16 at most, each read when it is asked for, with no transaction open in between.
 */
export async function* firingAlerts(ctx: Ctx, matchers: readonly Matcher[]): AsyncGenerator<FiringAlert[]> {
  authorise(ctx.actor, "read alerts", { people: "viewer", senders: true });
  const fits = compileMatchers(matchers);
  // An empty value also asks for those that do not have the label.
  const named = matchers.filter(({ is_regex, is_equal, value }) => is_equal && !is_regex && value !== "");
  const labels = Object.fromEntries(named.map(({ name, value }) => [name, value]));
  const ids = await firingIds(ctx, labels, LOOKED_AT);
  for (let at = 0; at < ids.length; at += PAGE) {
    const rows = await firingRows(ctx, ids.slice(at, at + PAGE));
    yield rows.filter((row) => fits(row.labels));
  }
}
