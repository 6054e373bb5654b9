import { z } from "zod";
import type { Matcher } from "../contract/matcher.ts";
import { messageOf } from "../lib/error.ts";
import { compileMatchers, matchesEverything, parseMatchers } from "../lib/matchers.ts";
import { alternative, example } from "../lib/setting.ts";
import { timeInterval } from "../lib/time-interval.ts";

type Check = z.core.$RefinementCtx;

/** Parses the matchers in `texts`, each of which may hold several; reports errors to `check`. */
function parsed(texts: readonly string[], check: Check): Matcher[] {
  try {
    const matchers = texts.flatMap((text) => parseMatchers(text));
    compileMatchers(matchers);
    return matchers;
  } catch (error) {
    check.addIssue({ code: "custom", message: messageOf(error) });
    return [];
  }
}

const list = z.array(z.string());

/** Matchers as Alertmanager's configuration writes them: a list of texts. */
const matchersSetting = list.default([]).transform(parsed);

/** A recurring time in which matching alerts are kept silent. */
export const maintenanceWindow = z.strictObject({
  name: example(
    z.string().regex(/^[\w.-]{1,64}$/, "a name has letters, digits, dots, hyphens and underscores"),
    "nightly-backup",
  ),
  matchers: example(
    list.transform((texts, check) => {
      const matchers = parsed(texts, check);
      if (matchesEverything(matchers))
        check.addIssue({
          code: "custom",
          message: "would silence every alert: one must not match the empty text",
        });
      return matchers;
    }),
    ['job="backup"', 'severity!="critical"'],
  ),
  why: example(z.string().min(1), "the copy takes the disk's whole throughput"),
  time_intervals: z
    .array(timeInterval)
    .min(1)
    .describe("as in Alertmanager: one of the intervals must match, with one entry of each of its lists"),
});
export type MaintenanceWindow = z.infer<typeof maintenanceWindow>;

const labelName = z.string().regex(/^[A-Za-z_]\w*$/, "is not a label name");
const pairs = z.record(labelName, z.string()).default({});
const asMatchers = (map: Record<string, string>, is_regex: boolean): Matcher[] =>
  Object.entries(map).map(([name, value]) => ({ name, value, is_regex, is_equal: true }));

/** Alertmanager's syntax of an inhibition rule, including its deprecated forms (`source_match` and the like). */
export const inhibitRule = z
  .strictObject({
    source_matchers: example(matchersSetting, ['severity="critical"']),
    target_matchers: example(matchersSetting, ['severity=~"warning|info"']),
    source_match: alternative(pairs),
    source_match_re: alternative(pairs),
    target_match: alternative(pairs),
    target_match_re: alternative(pairs),
    equal: example(z.array(labelName).default([]), ["alertname", "namespace"]),
  })
  .transform((rule, check) => {
    const of = (matchers: Matcher[], match: Record<string, string>, match_re: Record<string, string>) => [
      ...matchers,
      ...asMatchers(match, false),
      ...asMatchers(match_re, true),
    ];
    const { source_matchers, source_match, source_match_re } = rule;
    const { target_matchers, target_match, target_match_re } = rule;
    const source = of(source_matchers, source_match, source_match_re);
    const target = of(target_matchers, target_match, target_match_re);
    for (const matchers of [source, target]) {
      try {
        compileMatchers(matchers);
      } catch (error) {
        check.addIssue({ code: "custom", message: messageOf(error) });
      }
    }
    return { source, target, equal: [...new Set(rule.equal)].sort() };
  });
export type InhibitRule = z.infer<typeof inhibitRule>;
