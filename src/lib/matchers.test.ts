import fc from "fast-check";
import { expect, test } from "vitest";
import { SEED } from "../../test/support/random.ts";
import { compileMatchers, matchersText, matchesEverything, parseMatchers } from "./matchers.ts";

const fits = (text: string, labels: Record<string, string>) => compileMatchers(parseMatchers(text))(labels);

test("each operator does as Alertmanager's: anchored, and a missing label is the empty text", () => {
  const cases: [text: string, labels: Record<string, string>, fits: boolean][] = [
    ['severity="critical"', { severity: "critical" }, true],
    ["severity=critical", { severity: "critical" }, true],
    ['severity!="critical"', {}, true],
    ['severity=""', {}, true],
    ['severity=~"crit.*|page"', { severity: "critical" }, true],
    ['severity=~"crit"', { severity: "critical" }, false],
    ['severity!~"crit"', { severity: "critical" }, true],
    ['{ a = "b" , c=~"d|e", }', { a: "b", c: "e" }, true],
    ['{a="b",c=~"d|e"}', { a: "b", c: "x" }, false],
    ['a="x,y\\"z\\\\"', { a: 'x,y"z\\' }, true],
    ["a=~b\\.c", { a: "bxc" }, false],
    ['"a label"="b"', { "a label": "b" }, true],
    ['constructor=~".+"', {}, false],
    ["{}", { a: "b" }, true],
  ];
  for (const [text, labels, expected] of cases) expect([text, fits(text, labels)]).toEqual([text, expected]);
});

test("what is not a matcher is refused with a sentence", () => {
  for (const text of ["a", "=b", 'a="b', 'a="b"c', '{a="b"', "a=b,,c=d", 'a=b"c', "1a=b", 'a=~"("'])
    expect(() => fits(text, {}), text).toThrow(/is not valid/);
});

test("any matchers are read back as they are written", () => {
  const matcher = fc.record({
    name: fc.oneof(fc.constantFrom("a", "job:x"), fc.constantFrom("a b", "ä", 'q"\\')),
    value: fc.string(),
    is_regex: fc.boolean(),
    is_equal: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(matcher, { maxLength: 4 }), (matchers) => {
      expect(parseMatchers(matchersText(matchers))).toEqual(matchers);
      expect(parseMatchers(`{${matchersText(matchers)}}`)).toEqual(matchers);
    }),
    { seed: SEED },
  );
});

test("matchers that fit alerts with none of their labels fit everything", () => {
  for (const text of ["", 'a=~".*"', 'a!="b"', 'a="",b=~"x?"'])
    expect(matchesEverything(parseMatchers(text))).toBe(true);
  for (const text of ['a="b"', 'a=~".+"', 'a!="b",c="d"'])
    expect(matchesEverything(parseMatchers(text))).toBe(false);
});
