import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { configJsonSchema } from "../src/app/config/json-schema.ts";
import { configReference } from "../src/app/config/reference.ts";
import { configSchema } from "../src/app/config/schema.ts";
import { REFUSALS } from "../src/execution/index.ts";
import { settingIn, settingInfo } from "../src/lib/setting.ts";

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

  it("is the committed one, which `npm run reference` writes", () => {
    const file = join(import.meta.dirname, "../docs/reference/awoooi.schema.json");
    expect(readFileSync(file, "utf8")).toBe(`${JSON.stringify(schema, null, 2)}\n`);
  });

  it("has defaults, descriptions, and secrets as write-only", () => {
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
  const page = readFileSync(PAGE, "utf8");

  /** Every setting with its dotted path, the settings of a list's items included. */
  function settings(
    schema: z.core.$ZodType,
    path = "",
    seen = new Set<object>(),
  ): [string, z.core.$ZodType][] {
    const { shape, element } = settingInfo(schema);
    if (element !== undefined) return settings(element, path, seen);
    // A route holds routes.
    if (shape === undefined || seen.has(shape)) return [];
    seen.add(shape);
    return Object.entries(shape).flatMap(([name, inner]): [string, z.core.$ZodType][] => {
      const own = path === "" ? name : `${path}.${name}`;
      return [[own, inner], ...settings(inner, own, seen)];
    });
  }

  it("is the committed one, which `npm run reference` writes", () => {
    expect(page).toBe(configReference());
  });

  it("shows every default as it is", () => {
    expect(configSchema.parse(parse(page))).toEqual(configSchema.parse({}));
  });

  it("names every setting", () => {
    const missing = settings(configSchema).filter(
      ([path]) => !new RegExp(`\\b${path.split(".").at(-1)}:`).test(page),
    );
    expect(missing.map(([path]) => path)).toEqual([]);
  });

  it("has samples that are valid where they are copied as they are", () => {
    const lines = page.split("\n");
    const path: string[] = [];
    const samples: [string, string][] = [];
    for (const [at, line] of lines.entries()) {
      const [, indent = "", name] = /^( *)([a-z_]+):/.exec(line) ?? [];
      if (name === undefined) continue;
      path.splice(indent.length / 2, Number.POSITIVE_INFINITY, name);
      const from = lines.findIndex((one, index) => index > at && !/^ *# (?!- )/.test(one));
      const rest = lines.slice(from);
      const end = rest.findIndex((one) => !new RegExp(`^${indent}# (- |  )`).test(one));
      const own = rest.slice(0, end).map((one) => one.slice(indent.length + 2));
      if (line.includes(": []") && own[0]?.startsWith("- ")) samples.push([path.join("."), own.join("\n")]);
    }
    expect(samples.map(([name]) => name)).toEqual(
      expect.arrayContaining([
        "intake.custom",
        "mcp.servers",
        "ssh.hosts",
        "processes",
        "kubernetes.clusters",
      ]),
    );
    const faults = samples.flatMap(([name, text]) => {
      const schema = name
        .split(".")
        .reduce<z.core.$ZodType | undefined>((inner, key) => inner && settingIn(inner, key), configSchema);
      const { error } = z.safeParse(schema as z.core.$ZodType, parse(text));
      return error === undefined ? [] : [`${name}: ${error.message}`];
    });
    expect(faults).toEqual([]);
  });

  it("shows something for each, and only examples that the setting takes", () => {
    expect(page).not.toMatch(/undefined|: null/);
    const all = settings(configSchema).map(([path, schema]) => ({ path, schema, ...settingInfo(schema) }));
    const shown = all.filter(({ example }) => example !== undefined);
    expect(shown.length).toBeGreaterThan(50);
    const wrong = shown.filter(({ schema, example }) => !z.safeParse(schema, example).success);
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });
});
