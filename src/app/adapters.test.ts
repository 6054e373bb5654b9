import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { EXECUTORS, NOTIFIERS, SOURCES } from "./adapters.ts";

/** The anchors of a page's headings, as they are linked to. */
function anchorsOf(page: string): string[] {
  const text = readFileSync(new URL(`../../docs/reference/${page}`, import.meta.url), "utf8");
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} -]/gu, "")
      .replaceAll(" ", "-"),
  );
}

describe("the lists of adapters", () => {
  it.each([
    ["sources", SOURCES],
    ["executors", EXECUTORS],
    ["notifiers", NOTIFIERS],
  ])("has no id twice: %s", (_what, kinds) => {
    const ids = kinds.map(({ id }) => id);
    expect(ids.length).toBeGreaterThan(1);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("has each path of a source once, aliases included", () => {
    const paths = SOURCES.flatMap(({ endpoints }) =>
      endpoints.flatMap(({ path, aliases = [] }) => [path, ...aliases]),
    );
    expect(new Set(paths).size).toBe(paths.length);
  });

  it.each(SOURCES.map(({ id, documentation }) => [id, documentation]))(
    "has a documented source: %s in %s",
    (_id, documentation) => {
      const [page = "", anchor] = documentation.split("#");
      const anchors = anchorsOf(page);
      expect(anchors.length).toBeGreaterThan(0);
      if (anchor !== undefined) expect(anchors).toContain(anchor);
    },
  );
});
