import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { configJsonSchema } from "../src/app/config-json-schema.ts";
import { configSchema } from "../src/app/config-schema.ts";
import { REFUSALS } from "../src/execution/index.ts";

const PAGE = join(import.meta.dirname, "../docs/reference/awoooi.yaml");

describe("the schema for editors", () => {
  type Node = {
    properties?: Record<string, Node>;
    description?: string;
    writeOnly?: boolean;
    default?: unknown;
  };
  const schema = configJsonSchema() as Node;
  const at = (path: string) =>
    path.split(".").reduce<Node | undefined>((node, name) => node?.properties?.[name], schema);

  it("is the committed one: `node src/main.ts config schema` writes it", () => {
    const file = join(import.meta.dirname, "../docs/reference/awoooi.schema.json");
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(JSON.parse(JSON.stringify(schema)));
  });

  it("has defaults, what the reference says, and secrets as write-only", () => {
    expect(at("sweep.every")).toMatchObject({
      default: "5s",
      description: expect.stringContaining("how often"),
    });
    expect(at("admin_token")).toMatchObject({ writeOnly: true, description: expect.stringContaining("32") });
    expect(at("database.url")).toMatchObject({
      writeOnly: true,
      description: expect.stringContaining("embedded"),
    });
    expect(at("data_dir")?.description).toContain("state of supervised processes");
    for (const path of ["intake.bearer_tokens", "notification.webhook.secret"])
      expect(at(path)?.writeOnly).toBe(true);
    for (const path of ["server.port", "decision.token_valid", "approval"])
      expect(at(path)?.writeOnly).toBeUndefined();
  });
});

describe("the reference of refusals", () => {
  it("has every code of the gateway under its gate, and no other", () => {
    const page = readFileSync(join(import.meta.dirname, "../docs/reference/refusals.md"), "utf8");
    const rows = [...page.matchAll(/^\| (\d) \| `(\w+)` \| \S.* \|$/gm)];
    expect(rows.map(([, gate, code]) => [code, Number(gate)])).toEqual(Object.entries(REFUSALS));
  });
});

describe("the table of authority", () => {
  const page = readFileSync(
    join(import.meta.dirname, "../docs/decisions/0027-where-authority-comes-from.md"),
    "utf8",
  );
  const rows = [...page.matchAll(/^\| (?!what is read|---)(.+) \| `([\w./-]+)`: (.+) \|$/gm)];

  it("has a hostile test for each row, which is there", () => {
    expect(rows.length).toBe(page.split("\n").filter((line) => line.startsWith("| ")).length - 2);
    const missing = rows.filter(([, , file = "", name = ""]) => {
      const text = readFileSync(join(import.meta.dirname, "..", file), "utf8");
      return !text.includes(name);
    });
    expect(missing.map(([row]) => row)).toEqual([]);
  });

  it("has a row for each guardrail that asks for facts of its own, and each gate", () => {
    for (const gate of ["gate 1", "gate 2", "gate 3", "gate 4", "gate 5"]) expect(page).toContain(`(${gate}`);
  });
});

describe("the reference of settings", () => {
  it("shows every default as it is", () => {
    const shown = configSchema.parse(parse(readFileSync(PAGE, "utf8")));
    expect(shown).toEqual(configSchema.parse({}));
  });

  it("names every setting, those without a default in comments", () => {
    const text = readFileSync(PAGE, "utf8");
    const seen = new Set<object>();
    const names = (schema: object): string[] => {
      // A route holds routes.
      if (seen.has(schema)) return [];
      seen.add(schema);
      const open = schema as { shape?: Record<string, object>; unwrap?: () => object };
      if (open.shape === undefined) return open.unwrap === undefined ? [] : names(open.unwrap());
      return Object.entries(open.shape).flatMap(([name, inner]) => [name, ...names(inner)]);
    };
    const missing = names(configSchema).filter((name) => !new RegExp(`\\b${name}:`).test(text));
    expect(missing).toEqual([]);
  });
});
