import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEED } from "../../../test/support/random.ts";
import { limitsFor, readBody } from "./read-body.ts";

const read = (text: string, limits = { entries: 3, values: 1_000 }) => readBody(Buffer.from(text), limits);
const json = (text: string, limits?: Parameters<typeof read>[1]) => read(text, limits).json;

describe("a body within the limits", () => {
  it("is what it says", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(0, 1, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        const limits = { entries: 10_000, values: 100_000 };
        const { json, cut } = readBody(Buffer.from(text), limits);
        expect(json).toEqual(JSON.parse(text));
        expect(cut).toBeNull();
      }),
      { seed: SEED },
    );
  });

  it("may begin with a byte-order mark", () => {
    expect(json("\u{feff}[1]")).toEqual([1]);
  });

  it("counts brackets and commas in no text", () => {
    const text = JSON.stringify(['],[{"a\\": 1,,,,', "\\", '"']);
    expect(read(text)).toMatchObject({ json: JSON.parse(text), cut: null });
  });
});

describe("a body beyond them", () => {
  it("keeps the first entries of each list and object, and says how many there were", () => {
    expect(json('[1,2,3,4,[5,6,7,8],"9"]')).toEqual([1, 2, 3]);
    expect(json('{"a":[1,2,3,4,5],"b":{"x":1,"y":2,"z":{},"more":{"]":["}"]}},"c":3,"d":4}')).toEqual({
      a: [1, 2, 3],
      b: { x: 1, y: 2, z: {} },
      c: 3,
    });
    const { longest, cut } = read(`[${"{},".repeat(1_233)}{}]`);
    expect(longest).toBe(1_234);
    expect(cut).toBe("truncated: of 1,234 entries the first 3 are read");
  });

  it("keeps no more values in all than it may, and what is below the first of each", () => {
    const lists = Array.from({ length: 3 }, () => [1, 2, 3]);
    const read = readBody(Buffer.from(JSON.stringify(lists)), { entries: 3, values: 6 });
    expect(read.json).toEqual([[1, 2, 3], [1]]);
    expect(read.cut).toContain("too many");
  });

  it("has nothing that is nested too deeply", () => {
    const deep = (levels: number) => `{"a":${"[".repeat(levels)}1${"]".repeat(levels)},"b":2}`;
    expect(read(deep(60)).cut).toBeNull();
    const { json, cut } = read(deep(100_000));
    expect(json).toMatchObject({ b: 2 });
    expect(JSON.stringify(json)).toContain("[null]");
    expect(cut).toBe("truncated: nesting deeper than 64 is not read");
  });

  it("is still JSON, whatever it is and wherever it is cut", () => {
    const bounded = fc.record({
      entries: fc.integer({ min: 1, max: 4 }),
      values: fc.integer({ min: 1, max: 30 }),
    });
    const longestIn = (value: unknown): number =>
      value === null || typeof value !== "object"
        ? 0
        : Math.max(Object.keys(value).length, ...Object.values(value).map(longestIn));
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), bounded, (value, limits) => {
        const { json, cut } = readBody(Buffer.from(JSON.stringify(value)), limits);
        expect(longestIn(json)).toBeLessThanOrEqual(limits.entries);
        if (cut === null) expect(json).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { seed: SEED, numRuns: 500 },
    );
  });
});

describe("what is no JSON", () => {
  it.each([
    "",
    "{",
    "[1,2",
    "[1,2,3,4",
    '{"a":',
    "nonsense",
    '"abc',
    "[1]]",
    "{}{}",
    "[1,2,3,[}",
    '[1,2,3,4,"]',
  ])("is refused: %s", (text) => {
    expect(() => read(text)).toThrow(SyntaxError);
  });
});

describe("the limits", () => {
  it("hold a genuine body of as many alerts", () => {
    const labels = Object.fromEntries(Array.from({ length: 15 }, (_, n) => [`label_${n}`, "value"]));
    const alert = {
      status: "firing",
      labels,
      annotations: { summary: "x", runbook_url: "y" },
      startsAt: "z",
      endsAt: "z",
      generatorURL: "u",
      fingerprint: "f",
    };
    const body = { version: "4", alerts: Array.from({ length: 1_000 }, () => alert) };
    expect(readBody(Buffer.from(JSON.stringify(body)), limitsFor(1_000)).cut).toBeNull();
  });
});
