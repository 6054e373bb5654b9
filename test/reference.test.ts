import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { configSchema } from "../src/app/config-schema.ts";

const PAGE = join(import.meta.dirname, "../docs/reference/awoooi.yaml");

describe("the reference of settings", () => {
  it("shows every default as it is", () => {
    const shown = configSchema.parse(parse(readFileSync(PAGE, "utf8")));
    expect(shown).toEqual(configSchema.parse({}));
  });

  it("names every setting, those without a default in comments", () => {
    const text = readFileSync(PAGE, "utf8");
    const names = (schema: object): string[] => {
      const open = schema as { shape?: Record<string, object>; unwrap?: () => object };
      if (open.shape === undefined) return open.unwrap === undefined ? [] : names(open.unwrap());
      return Object.entries(open.shape).flatMap(([name, inner]) => [name, ...names(inner)]);
    };
    const missing = names(configSchema).filter((name) => !new RegExp(`\\b${name}:`).test(text));
    expect(missing).toEqual([]);
  });
});
