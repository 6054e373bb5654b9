import fc from "fast-check";
import { expect, test } from "vitest";
import { SEED } from "../../test/support/random.ts";
import { linearPattern } from "./linear-pattern.ts";

const fits = (pattern: string, value: string) => linearPattern(pattern)(value);

const letter = fc.constantFrom("a", "b", "c", ".", "[ab]", "[^a]", "\\d", "\\w", "(?:)", "\\.", "\\bb");
const pattern = fc.letrec<{ whole: string }>((tie) => ({
  whole: fc.oneof(
    { maxDepth: 4 },
    letter,
    fc.tuple(tie("whole"), tie("whole")).map(([one, other]) => one + other),
    fc.tuple(tie("whole"), tie("whole")).map(([one, other]) => `(?:${one}|${other})`),
    fc
      .tuple(tie("whole"), fc.constantFrom("*", "+", "?", "{2}", "{0,2}", "{1,}", "*?"))
      .map(([one, sign]) => `(${one})${sign}`),
  ),
})).whole;
const value = fc.string({ unit: fc.constantFrom("a", "b", "c", "1", ".", " ", "é"), maxLength: 8 });

test("says of any pattern and value what JavaScript says where both know the syntax", () => {
  fc.assert(
    fc.property(pattern, value, (one, text) => {
      expect(fits(one, text)).toBe(new RegExp(`^(?:${one})$`, "u").test(text));
    }),
    { seed: SEED, numRuns: 3_000 },
  );
});

test("takes RE2's own syntax", () => {
  const cases: [pattern: string, value: string, fits: boolean][] = [
    ["(?i)Prod-.*", "PROD-1", true],
    ["(?i:a)b", "AB", false],
    ["a(?i)b|c", "aB", true],
    ["(?P<name>x)+", "xxx", true],
    ["[[:alpha:]_]+[^[:space:]]", "ab_9", true],
    ["\\Qa.b\\E+", "a.b+", false],
    ["\\x{1F600}\\x41\\101", "😀AA", true],
    ["\\p{Greek}+\\pL", "αβγd", true],
    ["\\P{Greek}", "α", false],
    ["a{,2}", "a{,2}", true],
    [".", "😀", true],
    ["a.b", "a\nb", false],
    ["(?s)a.b", "a\nb", true],
    ["(?m)a$.^b", "a\nb", false],
    ["(?ms)a$.^b", "a\nb", true],
    ["[]a]+", "]a", true],
    ["[a-]+", "a-", true],
    ["[\\D]", "x", true],
    ["", "", true],
    ["a||b", "", true],
    ["constructor|page", "page", true],
  ];
  for (const [one, text, expected] of cases)
    expect([one, text, fits(one, text)]).toEqual([one, text, expected]);
});

test("refuses what RE2 refuses, and what would be too large", () => {
  for (const one of [
    "(",
    ")",
    "[a",
    "a**",
    "*",
    "(?=a)",
    "(?<!a)",
    "(a)\\1",
    "\\",
    "[b-a]",
    "a{1001}",
    "\\p{Nope}",
    "((a{100}){100}){100}",
    "a".repeat(2_000),
    "(".repeat(500),
  ])
    expect(() => linearPattern(one), one).toThrow();
});

test("a value that makes others backtrack for ever is judged at once", () => {
  for (const one of ["(a+)+b", "(a|a)*b", "(.*)*x", ".*a.*a.*a.*a.*a.*x", "(a?){50}a{50}b"])
    expect(fits(one, "a".repeat(4_000))).toBe(false);
});
