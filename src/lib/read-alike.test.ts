import { describe, expect, it } from "vitest";
import { rareLetters, visibleText } from "./look-alike.ts";
import { readAlike, readAlikeForms } from "./read-alike.ts";

const alike = (one: string, other: string, how = {}) =>
  readAlike(readAlikeForms(one), readAlikeForms(other), how);

describe("reading one name as another", () => {
  it("reads every Latin letter of Unicode as one of the alphabet, but those that names may not have", () => {
    const letters = Array.from({ length: 0x1e000 }, (_, code) => code)
      .filter((code) => code < 0xd800 || code > 0xdfff)
      .map((code) => visibleText(String.fromCodePoint(code)))
      .filter((one) => /^\p{L}$/u.test(one) && /\p{Script=Latin}/u.test(one) && !/[ʔʕɁɂǂ]/.test(one));
    expect(letters.length).toBeGreaterThan(1_000);
    // One letter, or a pair that is written as one.
    const alphabet = [..."abcdefghijklmnopqrstuvwxyz"];
    const known = alphabet
      .flatMap((one) => [one, ...alphabet.map((other) => one + other)])
      .flatMap(readAlikeForms);
    const unread = letters.filter(
      (one) => rareLetters(one).length === 0 && !readAlike(readAlikeForms(one), known),
    );
    expect(unread).toEqual([]);
  });

  it("is the same both ways, and never reads two digits as one letter", () => {
    const pairs = [
      ["w1ll1am", "william", true],
      ["wi11iam", "WILLIAM", true],
      ["c1ave", "dave", true],
      ["rn", "m", true],
      ["6", "b", true],
      ["6", "8", false],
      ["6", "9", false],
      ["1", "7", false],
      ["10", "lo", true],
      ["a b", "ab", false],
      ["a@b", "a b", true],
      ["a@b", "aab", true],
      ["aab", "ab", false],
    ] as const;
    for (const [one, other, is] of pairs) {
      expect({ one, other, is: alike(one, other) }).toEqual({ one, other, is });
      expect({ one, other, is: alike(other, one) }).toEqual({ one, other, is });
    }
  });

  it("passes over what stands between words, takes repeated letters once and asks for a beginning when told", () => {
    expect(alike("a-b_c", "abc", { joined: true })).toBe(true);
    expect(alike("aw000i", "awoi", { joined: true, once: true })).toBe(true);
    expect(alike("awi", "awoi", { joined: true, once: true })).toBe(false);
    expect(alike("llm_gpt", "llm", { joined: true, begins: true })).toBe(true);
    expect(alike("lmiller", "llm", { joined: true, begins: true })).toBe(false);
  });

  it("ends soon, whatever is compared", () => {
    const [one, other] = ["cl1I|vv".repeat(40), `${"cl1I|vv".repeat(40)}x`];
    expect(alike(one, other, { once: true, joined: true })).toBe(false);
  });
});
