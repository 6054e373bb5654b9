import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEED } from "../../test/support/random.ts";
import { canonicalJson, sha256 } from "./canonical-json.ts";

const shuffled = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(shuffled)
    : value !== null && typeof value === "object"
      ? Object.fromEntries(
          Object.entries(value)
            .reverse()
            .map(([key, item]) => [key, shuffled(item)]),
        )
      : value;
const stored = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;

describe("canonical JSON", () => {
  it("is the same for equal values in any order of keys, and says the same", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(shuffled(value))).toBe(text);
        expect(JSON.parse(text)).toEqual(stored(value));
      }),
      { seed: SEED },
    );
  });

  it("differs for different values", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const same = JSON.stringify(shuffled(a)) === JSON.stringify(shuffled(b));
        if (same) expect(canonicalJson(a)).toBe(canonicalJson(b));
        else if (canonicalJson(a) === canonicalJson(b)) expect(stored(a)).toEqual(stored(b));
      }),
      { seed: SEED },
    );
    const unlike = [1, "1", [1], { 1: 1 }, { 1: "1" }, null, [null], {}, [], "", 0, false, "null", [[]]];
    expect(new Set(unlike.map(canonicalJson)).size).toBe(unlike.length);
  });

  it("refuses what is not JSON", () => {
    for (const value of [undefined, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => canonicalJson(value)).toThrow();
    }
  });

  it("is hashed as SHA-256, text and bytes alike", () => {
    expect(sha256("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(sha256(Buffer.from("abc"))).toBe(sha256("abc"));
  });
});
