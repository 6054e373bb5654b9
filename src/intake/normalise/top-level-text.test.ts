import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { SEED } from "../../../test/support/random.ts";
import { topLevelText } from "./top-level-text.ts";

const NAME = "routing_key";
const textOf = (text: string) => topLevelText(Buffer.from(text), NAME);

/** Names that are it, look like it, or are nothing of the kind; as they may be written. */
const written = fc.oneof(
  fc.constantFrom(
    '"routing_key"',
    '"routing\\u005fkey"',
    '"\\u0072outing_ke\\u0079"',
    '"routing\\u005Fkey"',
    '"routing_keys"',
    '"routing_ke"',
    '"routing\\\\u005fkey"',
    '"routing_key\\""',
    '""',
  ),
  fc.string().map((text) => JSON.stringify(text)),
);
const value = fc.oneof(
  fc.constantFrom('"k"', '"\\u006b\\n"', "5", "null", '{"routing_key":"inner"}', '["routing_key","x"]'),
  fc.jsonValue({ maxDepth: 3 }).map((json) => JSON.stringify(json)),
);

describe("the text of a name of the outermost object", () => {
  it("is what JSON.parse finds there, however names and texts are written and how often", () => {
    const blank = fc.constantFrom("", " ", "\n\t");
    fc.assert(
      fc.property(fc.array(fc.tuple(written, value, blank), { maxLength: 8 }), blank, (entries, around) => {
        const inner = entries.map(([name, one, space]) => `${space}${name}${space}:${space}${one}${space}`);
        const text = `${around}{${inner.join(",")}}${around}`;
        const known = (JSON.parse(text) as Record<string, unknown>)[NAME];
        expect(textOf(text)).toBe(typeof known === "string" ? known : undefined);
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });

  it("is not there in anything else that is JSON", () => {
    for (const text of ["[]", '["routing_key","x"]', '[{"routing_key":"x"}]', '"routing_key"', "5", "null"])
      expect(textOf(text)).toBeUndefined();
    expect(textOf('\ufeff{"routing_key":"x"}')).toBe("x");
  });

  it("is looked for in no body that is empty, ends too soon, or is in another encoding", () => {
    const whole = JSON.stringify({ a: [1, { b: "}" }], routing_key: "k" });
    for (let length = 1; length < whole.length; length += 1)
      expect(() => textOf(whole.slice(0, length))).toThrow("not JSON");
    for (const nothing of ["", "\ufeff"]) expect(() => textOf(nothing)).toThrow("There is no body");
    expect(() => topLevelText(Buffer.from(whole, "utf16le"), NAME)).toThrow("UTF-16");
    expect(() => textOf('{"routing_key":"\\x"}')).toThrow("not JSON");
  });

  it("is all of the body that is made into a value", () => {
    const parse = vi.spyOn(JSON, "parse");
    try {
      expect(textOf(`{"x":[${"{},".repeat(1_000)}{}],"routing_key":"k"}`)).toBe("k");
      expect(textOf(`{"x":[${"{},".repeat(1_000)}{}]}`)).toBeUndefined();
      expect(parse.mock.calls.map(([text]) => text)).toEqual(['"k"']);
    } finally {
      parse.mockRestore();
    }
  });
});
