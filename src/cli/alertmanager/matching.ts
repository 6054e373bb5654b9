import type { Matcher } from "../../contract/matcher.ts";
import { compileMatchers, matchersText, parseMatchers } from "../../lib/matchers.ts";

type Matching = {
  matchers?: string[] | undefined;
  match?: Record<string, string> | undefined;
  match_re?: Record<string, string> | undefined;
};

const equal = (is_regex: boolean, map: Record<string, string> = {}): Matcher[] =>
  Object.entries(map).map(([name, value]) => ({ name, value, is_regex, is_equal: true }));

/** Matchers in any of Alertmanager's forms. Throws `invalid`. */
export function matchersOf({ matchers = [], match, match_re }: Matching): Matcher[] {
  const all = [
    ...equal(false, match),
    ...equal(true, match_re),
    ...matchers.flatMap((one) => parseMatchers(one)),
  ];
  compileMatchers(all);
  return all;
}

export const texts = (matchers: readonly Matcher[]): string[] => matchers.map((one) => matchersText([one]));

const fits = (matcher: Matcher, value: string) => compileMatchers([matcher])({ [matcher.name]: value });

/** The values that labels must have for these matchers to fit. */
const fixed = (matchers: readonly Matcher[]) =>
  new Map(matchers.flatMap((one) => (one.is_equal && !one.is_regex ? [[one.name, one.value] as const] : [])));

/** Whether no alert fits both; false where that cannot be told. */
function areDisjoint(one: readonly Matcher[], other: readonly Matcher[]): boolean {
  const against = (values: Map<string, string>, list: readonly Matcher[]) =>
    list.some((matcher) => values.has(matcher.name) && !fits(matcher, values.get(matcher.name) ?? ""));
  return against(fixed(one), other) || against(fixed(other), one);
}

/**
 * Matchers for what fits `matchers` and none of `others`; null where matchers cannot say that: all of them
 * must fit, so of another route only one condition can be turned round.
 */
export function except(
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
