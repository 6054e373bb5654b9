import fc from "fast-check";
import type { Draw } from "./random.ts";

/** What we read of a JSON Schema. */
export type Schema = {
  type?: string;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  pattern?: string;
  format?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  minimum?: number;
  maximum?: number;
  maxLength?: number;
};

const HOSTILE_TEXT = [
  "",
  " ",
  "\u0000",
  "a\u0000b",
  "\ud800",
  "\udc00\ud800",
  "\u202e\u200b\ufeff",
  "𝕏🚨👩‍👩‍👧‍👦",
  "警報：磁碟已滿",
  "'; drop table incidents; --",
  "$(reboot) `id` | tee /etc/passwd",
  "<script>alert(1)</script>",
  "%s%n%x",
  "{{constructor.constructor('return process')()}}",
  "__proto__",
  "constructor",
  "../../../../etc/passwd",
  "9007199254740993",
  "NaN",
  "true",
  '{a="b",',
  'service=~"(a+)+$"',
  "null",
  "0000-00-00T00:00:00Z",
  "2026-02-30T25:61:61Z",
  "+275760-09-13T00:00:00.001Z",
  "-000001-01-01T00:00:00Z",
  "x".repeat(300),
  "x".repeat(70_000),
  "é".repeat(5_000),
];
const HOSTILE_NUMBERS = [0, -0, -1, 1e21, 1e308, -1e308, 0.1, 2 ** 31, 2 ** 53 + 2, Number.MIN_VALUE];

/** Names of which code that copies properties must beware. */
const KEYS = [
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "",
  "\u0000",
  "a.b",
  "$where",
  "length",
];

export function hostileText(draw: Draw): string {
  return draw.of(HOSTILE_TEXT);
}

/** Any JSON value: a hostile leaf, or a small tree of them. */
export function anything(draw: Draw, depth = 3): unknown {
  switch (draw.number(0, depth > 0 ? 7 : 4)) {
    case 0:
      return null;
    case 1:
      return draw.once(2);
    case 2:
      return draw.of(HOSTILE_NUMBERS);
    case 5:
      return Array.from({ length: draw.number(0, 4) }, () => anything(draw, depth - 1));
    case 6:
    case 7: {
      // Not a literal: that would set the prototype.
      const entries = Array.from({ length: draw.number(0, 4) }, () => [
        draw.once(2) ? draw.of(KEYS) : hostileText(draw),
        anything(draw, depth - 1),
      ]);
      return Object.fromEntries(entries) as unknown;
    }
    default:
      return hostileText(draw);
  }
}

const matching = new Map<string, string[]>();

function textLike(draw: Draw, pattern: string): string {
  const known =
    matching.get(pattern) ?? fc.sample(fc.stringMatching(new RegExp(pattern)), { numRuns: 30, seed: 1 });
  matching.set(pattern, known);
  return draw.of(known);
}

/** A value as the schema wants it. `known` gives values that the server has shown under these names. */
export function valid(draw: Draw, schema: Schema, known: (name: string) => unknown, name = ""): unknown {
  const seen = known(name);
  if (seen !== undefined && draw.once(2)) return seen;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return draw.of(schema.enum);
  if (schema.anyOf !== undefined) return valid(draw, draw.of(schema.anyOf), known, name);
  switch (schema.type) {
    case "object":
      return Object.fromEntries(
        Object.entries(schema.properties ?? {})
          .filter(([key]) => schema.required?.includes(key) || draw.once(2))
          .map(([key, inner]) => [key, valid(draw, inner, known, key)]),
      );
    case "array":
      return Array.from({ length: draw.number(0, 4) }, () => valid(draw, schema.items ?? {}, known));
    case "integer":
    case "number":
      return draw.number(Math.max(schema.minimum ?? 0, 0), Math.min(schema.maximum ?? 1_000, 1_000_000));
    case "boolean":
      return draw.once(2);
    case "string":
      if (schema.format === "date-time") return new Date(draw.number(0, 2 ** 31) * 1_000).toISOString();
      if (schema.pattern !== undefined) return textLike(draw, schema.pattern);
      return "word ".repeat(draw.number(1, 20)).slice(0, schema.maxLength ?? 100);
    default:
      return anything(draw, 1);
  }
}

/** The same with one thing about it wrong, somewhere. */
export function spoilt(draw: Draw, value: unknown): unknown {
  if (draw.once(4) || value === null || typeof value !== "object") return anything(draw);
  if (Array.isArray(value)) {
    if (draw.once(3)) return [...value, anything(draw)];
    const at = draw.number(0, value.length - 1);
    return value.map((item, index) => (index === at ? spoilt(draw, item) : item));
  }
  const entries = Object.entries(value);
  if (entries.length === 0 || draw.once(4)) entries.push([draw.of(KEYS), anything(draw)]);
  const at = draw.number(0, entries.length - 1);
  if (draw.once(4)) entries.splice(at, 1);
  else entries[at] = [entries[at]?.[0] ?? "", spoilt(draw, entries[at]?.[1])];
  return Object.fromEntries(entries);
}
