import type { Tool } from "@modelcontextprotocol/sdk/types.js";
import type { JsonSchemaType } from "@modelcontextprotocol/sdk/validation/types.js";
import { canonicalJson, sha256 } from "../../../lib/canonical-json.ts";
import { messageOf } from "../../../lib/error.ts";
import { errorText } from "./content.ts";

const MAX_SCHEMA = 100_000;

const JUDGING = new Set(["not", "if", "oneOf"]);
// Their keys are names chosen by the schema's author, which may equal keywords.
const NAMES = new Set(["properties", "$defs", "definitions", "dependencies", "dependentSchemas"]);

/**
 * Returns a schema without regular expressions: a server's `^(a+)+$` would block this process, and the server checks its
 * arguments itself. A `not`, `if` or `oneOf` that had a pattern inside is dropped too: without it, it could refuse wrongly.
 */
export function withoutPatterns(schema: unknown): unknown {
  let taken = 0;
  const inside = (node: unknown, names: boolean): unknown => {
    if (Array.isArray(node)) return node.map((one) => inside(one, false));
    if (typeof node !== "object" || node === null) return node;
    const entries = Object.entries(node).flatMap(([key, value]): [string, unknown][] => {
      // Also where keys are names: a `$ref` can turn these into keywords. The schema under a name is never a string.
      const pattern = key === "pattern" && typeof value === "string";
      const before = taken;
      if (pattern || key === "patternProperties") taken += 1;
      if (pattern) return [];
      if (key === "patternProperties") return [[key, {}]];
      if (key === "additionalProperties" && "patternProperties" in node) return [[key, true]];
      const kept = inside(value, !names && NAMES.has(key));
      return taken > before && !names && JUDGING.has(key) ? [] : [[key, kept]];
    });
    return Object.fromEntries(entries);
  };
  return inside(schema, false);
}

/** Returns the SHA-256 of a tool's argument schema, to notice a change. */
export function schemaHash(tool: Tool): string {
  return sha256(canonicalJson(tool.inputSchema));
}

/** Returns why these arguments do not fit the tool's schema as its server gives it; null: they do. */
export async function argumentsGap(tool: Tool, given: Record<string, unknown>): Promise<string | null> {
  const text = JSON.stringify(tool.inputSchema);
  // An asynchronous schema returns a promise, which counts as valid, and rejects when it is too late.
  if (text.length > MAX_SCHEMA || text.includes('"$async"')) return "its argument schema cannot be used";
  const { AjvJsonSchemaValidator } = await import("./sdk.ts");
  try {
    const schema = withoutPatterns(tool.inputSchema) as JsonSchemaType;
    // A new validator each time: a shared one would confuse two schemas with the same `$id`.
    const { valid, errorMessage } = new AjvJsonSchemaValidator().getValidator(schema)(given);
    return valid ? null : errorText(`invalid arguments: ${errorMessage}`);
  } catch (error) {
    return errorText(`its argument schema cannot be used: ${messageOf(error)}`);
  }
}
