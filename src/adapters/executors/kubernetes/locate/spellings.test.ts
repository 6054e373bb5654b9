import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEED } from "../../../../../test/support/random.ts";
import { folded, isObjectName, spellingsOf } from "./spellings.ts";

describe("the spellings of a name", () => {
  it.each<[string, string | undefined, object[]]>([
    ["api", undefined, [{ name: "api" }]],
    ["API", "shop", [{ name: "api", namespace: "shop" }]],
    ["api:8080", "shop", [{ name: "api", namespace: "shop" }]],
    ["shop/api", undefined, [{ name: "api", namespace: "shop" }]],
    ["api.shop", undefined, [{ name: "api.shop" }, { name: "api", namespace: "shop" }]],
    [
      "api.shop",
      "shop",
      [
        { name: "api.shop", namespace: "shop" },
        { name: "api", namespace: "shop" },
      ],
    ],
    // Where the alert says another namespace, that is not contradicted by a dot.
    ["api.shop", "pay", [{ name: "api.shop", namespace: "pay" }]],
    ["api.shop.svc", undefined, [{ name: "api", namespace: "shop" }]],
    ["api.shop.svc.cluster.local", "monitoring", [{ name: "api", namespace: "shop" }]],
    ["api.shop.svc.cluster.local:443", undefined, [{ name: "api", namespace: "shop" }]],
    ["db-0.db.shop.svc.cluster.local", undefined, [{ name: "db", namespace: "shop" }]],
    ["api.example.com", undefined, [{ name: "api.example.com" }]],
    ["svc", undefined, [{ name: "svc" }]],
    ["a.svc", undefined, [{ name: "a.svc" }, { name: "a", namespace: "svc" }]],
    ["Checkout_Service", undefined, []],
    ["a/b/c", undefined, []],
    ["http://api", undefined, []],
    ["", undefined, []],
    ["-", undefined, []],
  ])("of %j in %j are %j", (name, namespace, expected) => {
    expect(spellingsOf(name, namespace)).toEqual(expected);
  });

  it("are names that a cluster can have, and two at most, of anything", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 400 }), (said) => {
        const all = spellingsOf(said);
        expect(all.length).toBeLessThanOrEqual(2);
        for (const { name } of all) expect(isObjectName(name)).toBe(true);
      }),
      { seed: SEED },
    );
  });

  it("are alike without case and what joins words", () => {
    expect(folded("Checkout_Service")).toBe(folded("checkout-service"));
    expect(folded("api")).not.toBe(folded("api2"));
  });
});
