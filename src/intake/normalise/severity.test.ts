import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEED } from "../../../test/support/random.ts";
import type { Severity } from "../../contract/common.ts";
import { SEVERITY } from "../../lib/old-values.ts";
import { loadClassification } from "./classification.ts";
import { classify } from "./classify.ts";
import { saidSeverity, severityOf, severityTable } from "./severity.ts";

const WORDS: Record<Severity, string> = {
  P0: "critical page emergency emerg fatal crit disaster urgent sev0 sev1 severity1 P0",
  P1: "high error err major sev2 severity2 P1",
  P2: "warning warn medium average sev3 P2",
  P3: "low info information informational minor notice none sev4 sev5 debug P3 P4 P5",
};
const CASES = Object.entries(WORDS).flatMap(([severity, words]) =>
  words.split(" ").map((word) => [word, severity as Severity] as const),
);

describe("severity", () => {
  it.each(CASES)("of the word %s is %s", (word, severity) => {
    expect(severityOf(word)).toBe(severity);
  });

  it("is the same however the word is written", () => {
    const sign = fc.constantFrom("", " ", "-", "_", ".");
    fc.assert(
      fc.property(
        fc.constantFrom(...CASES),
        fc.array(fc.boolean(), { minLength: 14, maxLength: 14 }),
        sign,
        fc.stringMatching(/^[ \t\n]{0,3}$/),
        ([word, severity], upper, between, around) => {
          const cased = [...word].map((one, at) => (upper[at] ? one.toUpperCase() : one.toLowerCase()));
          const said = cased.join("").replace(/(?=\d)/, between);
          expect(severityOf(`${around}${said}${around}`)).toBe(severity);
        },
      ),
      { seed: SEED },
    );
  });

  // Numbers alone mean opposite things to different senders; names of objects are no words.
  it.each([
    "loud",
    "1",
    "5",
    "sev6",
    "P6",
    "sev",
    "-",
    "non-critical",
    "constructor",
    "__proto__",
    "toString",
    "P0".repeat(99),
  ])("of a word that is not in the table is P2: %s", (word) => {
    expect(saidSeverity(word, severityTable())).toEqual({
      severity: "P2",
      said: word,
      word: null,
      by: "unknown_word",
    });
  });

  it.each(["", "  ", undefined])("is not said by %j", (word) => expect(severityOf(word)).toBeNull());

  it("has an installation's own words beside the shipped ones, and before them", () => {
    const own = severityTable({ panic: "P0", "Code Red": "P1", page: "P2" });
    const of = (word: string) => saidSeverity(word, own);
    expect(of("PANIC")).toMatchObject({ severity: "P0", word: "panic", by: "configuration" });
    expect(of("code-red")).toMatchObject({ severity: "P1", by: "configuration" });
    expect(of("page")).toMatchObject({ severity: "P2", by: "configuration" });
    expect(of("informational")).toEqual({
      severity: "P3",
      said: "informational",
      word: "info",
      by: "table",
    });
    expect(severityOf("panic")).toBe("P2");
  });

  it("makes information only of info and none, in every spelling; what else is P3 is put before people", () => {
    const rules = loadClassification();
    const typeOf = (severity: string) =>
      classify(rules, { alert_name: "Anything", severity, labels: {} }).notification_type;
    for (const word of ["info", "none", "INFO", "information", "Informational"])
      expect(typeOf(word)).toBe("TYPE-1");
    for (const word of ["minor", "notice", "low", "sev4", "sev5", "P3", "P4", "P5", "loud"])
      expect(typeOf(word)).toBe("TYPE-3");
  });

  it("says what stored words of before say, too", () => {
    for (const [word, level] of SEVERITY.old) expect([word, severityOf(word)]).toEqual([word, level]);
  });
});
