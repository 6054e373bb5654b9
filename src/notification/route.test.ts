import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEED } from "../../test/support/random.ts";
import { configSchema } from "../app/config/schema.ts";
import { createRouter, routeSetting } from "./route.ts";

const router = (routes: unknown[]) => createRouter(routes.map((route) => routeSetting.parse(route)));

describe("routes", () => {
  const route = router([
    { matchers: ['team="db"'], receivers: ["dba"], continue: true },
    {
      matchers: ['severity=~"critical|page"'],
      receivers: ["pager"],
      routes: [
        { matchers: ['namespace="dev"'], receivers: [] },
        { matchers: ['namespace=~"shop-.+"'], receivers: ["shop"], continue: true },
        { matchers: ['namespace="shop-eu"', "region!=us"], receivers: ["europe"] },
        { matchers: ['namespace="inherits"'], routes: [{ matchers: ['deeper="yes"'] }] },
      ],
    },
  ]);

  it.each([
    [{ severity: "info" }, null],
    [{ severity: "critical" }, ["pager"]],
    [{ severity: "page", namespace: "dev" }, []],
    [{ severity: "critical", namespace: "shop-us" }, ["shop"]],
    [{ severity: "critical", namespace: "shop-eu" }, ["shop", "europe"]],
    [{ severity: "critical", namespace: "shop-eu", region: "us" }, ["shop"]],
    [{ severity: "critical", namespace: "inherits", deeper: "yes" }, ["pager"]],
    [{ team: "db", severity: "critical" }, ["dba", "pager"]],
    [{ team: "db", severity: "info" }, ["dba"]],
  ] as [Record<string, string>, string[] | null][])("sends %j to %j", (labels, receivers) => {
    expect(route(labels)).toEqual(receivers);
  });

  it("decides for every alert, and names no channel twice or that is not in them", () => {
    const tree = fc.letrec<{ route: object }>((tie) => ({
      route: fc.record(
        {
          matchers: fc.subarray(['a="1"', 'a!="1"', 'b=~"x|y"']),
          receivers: fc.subarray(["one", "two", "three"]),
          continue: fc.boolean(),
          routes: fc.array(tie("route"), { maxLength: 3, depthIdentifier: "route" }),
        },
        { requiredKeys: [] },
      ),
    })).route;
    const labels = fc.record({ a: fc.constantFrom("1", "2"), b: fc.constantFrom("x", "z") });
    fc.assert(
      fc.property(fc.array(tree, { maxLength: 4 }), labels, (routes, alert) => {
        const told = router(routes)(alert);
        if (told === null) return;
        expect(new Set(told).size).toBe(told.length);
        for (const name of told) expect(["one", "two", "three"]).toContain(name);
        // What comes after a route for everything is never asked.
        const first = { receivers: ["first"] };
        expect(router([first, ...routes])(alert)).toEqual(["first"]);
        expect(router([{ ...first, continue: true }, ...routes])(alert)).toContain("first");
      }),
      { seed: SEED },
    );
  });

  it("may name only channels that there are, and matchers that can be read", () => {
    const errors = (notification: object) =>
      configSchema
        .safeParse({ notification })
        .error?.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
    const security = { name: "security", url: "https://chat.example/security" };
    expect(errors({ webhooks: [security], routes: [{ receivers: ["security", "log"] }] })).toBeUndefined();
    expect(errors({ routes: [{ routes: [{ receivers: ["securty"] }] }] })).toEqual([
      "notification.routes: there is no channel securty; there are log",
    ]);
    expect(errors({ terminal: false, routes: [{ receivers: ["log"] }] })).toHaveLength(1);
    expect(errors({ routes: [{ matchers: ['a=~"("'] }] })).toEqual([
      expect.stringMatching(/^notification\.routes\.0\.matchers: The matcher .* is not valid/),
    ]);
    expect(errors({ webhooks: [security, security, { ...security, name: "log" }] })).toEqual([
      "notification.webhooks.1.name: there is another channel security",
      "notification.webhooks.2.name: there is another channel log",
    ]);
  });
});
