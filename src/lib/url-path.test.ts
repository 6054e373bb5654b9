import fc from "fast-check";
import { expect, it } from "vitest";
import { SEED } from "../../test/support/random.ts";
import { isCleanPath, pathSegment, urlPath } from "./url-path.ts";

const ELSEWHERE = [
  "",
  ".",
  "..",
  "a/b",
  "../b",
  "a\\b",
  "..\\",
  "%2e%2e",
  "%2E.",
  "a%2fb",
  "%",
  "a?b=c",
  "a#b",
];
const ODD = ["a\0", "a\nb", "a\rb", "\t", "\x7f", "\ud800"];

it("lets no name lead elsewhere", () => {
  for (const name of [...ELSEWHERE, ...ODD]) {
    expect(() => pathSegment(name), name).toThrow("would lead to another address");
    expect(() => urlPath`/approvals/${name}/approve`, name).toThrow();
    if (name.isWellFormed()) expect(isCleanPath(`/a/${encodeURIComponent(name)}/c`), name).toBe(false);
  }
  for (const path of [
    "",
    "a",
    "/",
    "//a",
    "/a/",
    "/a//b",
    "/a/./b",
    "/a/../b",
    "/a/%2e%2E",
    "/a%",
    "/a%2Fb",
    "/a?b",
  ])
    expect(isCleanPath(path), path).toBe(false);
});

it("makes of any other name one part of a path, which is read back as it was", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.constantFrom("", "/log"), (name, behind) => {
      let path: string;
      try {
        path = `/pods/${pathSegment(name)}${behind}`;
      } catch {
        return;
      }
      expect(isCleanPath(path)).toBe(true);
      const { pathname, search, hash } = new URL(`http://x/api/v1/namespaces/a${path}`);
      expect([pathname.slice("/api/v1/namespaces/a".length), search, hash]).toEqual([path, "", ""]);
      expect(decodeURIComponent(pathname.split("/")[6] ?? "")).toBe(name);
    }),
    {
      seed: SEED,
      numRuns: 2_000,
      examples: [...ELSEWHERE, ...ODD, "...", "a..b", "é ~*'()"].map((one) => [one, ""]),
    },
  );
});
