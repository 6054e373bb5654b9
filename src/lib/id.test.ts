import { describe, expect, it } from "vitest";
import { seededRandom } from "../../test/support/random.ts";
import { decisionToken, incidentId, prefixedId, systemRandom } from "./id.ts";

describe("ids", () => {
  it("have the forms that people and other systems know", () => {
    const late = new Date("2026-12-31T23:59:59.999-01:00");
    for (const random of [systemRandom, seededRandom(1)]) {
      expect(incidentId(late, random)).toMatch(/^INC-20270101-[0-9A-HJKMNP-TV-Z]{6}$/);
      expect(decisionToken(random)).toMatch(/^DEC-[0-9A-F]{12}$/);
      expect(prefixedId("APR", random)).toMatch(/^APR-[0-9A-HJKMNP-TV-Z]{16}$/);
    }
  });

  it("come from the given randomness alone, and use all of it", () => {
    expect(prefixedId("X", seededRandom(7))).toBe(prefixedId("X", seededRandom(7)));
    expect(prefixedId("X", seededRandom(7))).not.toBe(prefixedId("X", seededRandom(8)));
    const random = seededRandom(9);
    const ids = Array.from({ length: 2_000 }, () => prefixedId("X", random));
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(ids.join("").replaceAll("X-", "")).size).toBe(32);
  });
});
