import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ERRORS, type ErrorCode } from "./error.ts";

const ROOT = join(import.meta.dirname, "../..");
const ROW = /^\| <a id="(\w+)"><\/a>`(\w+)` \| (\d+) \| (\d+) \|/gm;

describe("the table of errors", () => {
  it("is what its documentation says, row by row", () => {
    const page = readFileSync(join(ROOT, "docs/reference/errors.md"), "utf8");
    const rows = [...page.matchAll(ROW)].map(([, anchor, code, status, exit]) => [
      anchor,
      code,
      Number(status),
      Number(exit),
    ]);
    const table = Object.entries(ERRORS).map(([code, { status, exit }]) => [code, code, status, exit]);
    expect(rows).toEqual(table);
  });

  it("has no code that nobody uses", () => {
    const source = globSync("src/**/*.ts", { cwd: ROOT })
      .filter((file) => !file.endsWith("lib/error.ts") && !file.endsWith(".test.ts"))
      .map((file) => readFileSync(join(ROOT, file), "utf8"))
      .join("\n");
    const unused = (Object.keys(ERRORS) as ErrorCode[]).filter((code) => !source.includes(`"${code}"`));
    expect(unused).toEqual([]);
  });
});
