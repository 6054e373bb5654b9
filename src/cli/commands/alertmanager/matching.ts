import type { Matcher } from "../../../contract/matcher.ts";
import { compileMatchers, matchersText, parseMatchers } from "../../../lib/matchers.ts";

type Matching = {
  matchers?: string[] | undefined;
  match?: Record<string, string> | undefined;
  match_re?: Record<string, string> | undefined;
};

const equal = (is_regex: boolean, map: Record<string, string> = {}): Matcher[] =>
  Object.entries(map).map(([name, value]) => ({ name, value, is_regex, is_equal: true }));

/** Parses matchers in any of Alertmanager's forms. Throws `invalid`. */
export function matchersOf({ matchers = [], match, match_re }: Matching): Matcher[] {
  const all = [
    ...equal(false, match),
    ...equal(true, match_re),
    ...matchers.flatMap((one) => parseMatchers(one)),
  ];
  compileMatchers(all);
  return all;
}

export const matcherTexts = (matchers: readonly Matcher[]): string[] =>
  matchers.map((one) => matchersText([one]));

const fits = (matcher: Matcher, value: string) => compileMatchers([matcher])({ [matcher.name]: value });

/** Returns the label values that the equality matchers require. */
const fixed = (matchers: readonly Matcher[]) =>
  new Map(matchers.flatMap((one) => (one.is_equal && !one.is_regex ? [[one.name, one.value] as const] : [])));

/** Returns whether no alert can match both; false when that cannot be decided. */
function areDisjoint(one: readonly Matcher[], other: readonly Matcher[]): boolean {
  const against = (values: Map<string, string>, list: readonly Matcher[]) =>
    list.some((matcher) => values.has(matcher.name) && !fits(matcher, values.get(matcher.name) ?? ""));
  return against(fixed(one), other) || against(fixed(other), one);
}

/**
 * Returns matchers for alerts that match `matchers` and none of `others`; null when that cannot be expressed: all
 * matchers must match, so only another route with a single remaining condition can be negated.
 */
export function matchersExcluding(
  matchers: readonly Matcher[],
  others: readonly (readonly Matcher[])[],
): Matcher[] | null {
  const result = [...matchers];
  for (const other of others) {
    if (areDisjoint(result, other)) continue;
    const known = fixed(result);
    const open = other.filter((one) => !(known.has(one.name) && fits(one, known.get(one.name) ?? "")));
    const [only, ...more] = open;
    if (only === undefined || more.length > 0) return null;
    result.push({ ...only, is_equal: !only.is_equal });
  }
  return result;
}
