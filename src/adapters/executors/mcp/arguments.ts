import type { Tool } from "@modelcontextprotocol/sdk/types.js";
import type { JsonSchemaType } from "@modelcontextprotocol/sdk/validation/types.js";
import { canonicalJson, sha256 } from "../../../lib/canonical-json.ts";
import { messageOf } from "../../../lib/error.ts";
import { errorText } from "./content.ts";

const MAX_SCHEMA = 100_000;

const JUDGING = new Set(["not", "if", "oneOf"]);
// Below them are names, which may be those of keywords.
const NAMES = new Set(["properties", "$defs", "definitions", "dependencies", "dependentSchemas"]);

/**
 * Without what is checked by a regular expression: a server's `^(a+)+$` would stop this process. It checks
 * its arguments itself. What would be refused for want of a pattern goes with it.
 */
export function withoutPatterns(schema: unknown): unknown {
  let taken = 0;
  const inside = (node: unknown, names: boolean): unknown => {
    if (Array.isArray(node)) return node.map((one) => inside(one, false));
    if (typeof node !== "object" || node === null) return node;
    const entries = Object.entries(node).flatMap(([key, value]): [string, unknown][] => {
      // Also among names: a `$ref` to there makes keywords of them. A name's schema is never a string.
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

/** What tells one schema of arguments from another. */
export function schemaHash(tool: Tool): string {
  return sha256(canonicalJson(tool.inputSchema));
}

/** Why a tool cannot be called with these arguments, by the schema that its server gives; null: it can. */
export async function argumentsGap(tool: Tool, given: Record<string, unknown>): Promise<string | null> {
  const text = JSON.stringify(tool.inputSchema);
  // An asynchronous schema says yes at once, and no when nobody listens any more.
  if (text.length > MAX_SCHEMA || text.includes('"$async"')) return "its schema of arguments is not usable";
  const { AjvJsonSchemaValidator } = await import("./sdk.ts");
  try {
    const schema = withoutPatterns(tool.inputSchema) as JsonSchemaType;
    // A validator of its own: one that is shared takes two schemas of one `$id` for the same.
    const { valid, errorMessage } = new AjvJsonSchemaValidator().getValidator(schema)(given);
    return valid ? null : errorText(`invalid arguments: ${errorMessage}`);
  } catch (error) {
    return errorText(`its schema of arguments is not usable: ${messageOf(error)}`);
  }
}
