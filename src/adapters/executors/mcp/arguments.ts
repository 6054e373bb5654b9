import type { Tool } from "@modelcontextprotocol/sdk/types.js";
import type { JsonSchemaType } from "@modelcontextprotocol/sdk/validation/types.js";
import { canonicalJson, sha256 } from "../../../lib/canonical-json.ts";
import { messageOf } from "../../../lib/error.ts";

const MAX_SCHEMA = 100_000;

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
    const schema = tool.inputSchema as JsonSchemaType;
    // A validator of its own: one that is shared takes two schemas of one `$id` for the same.
    const { valid, errorMessage } = new AjvJsonSchemaValidator().getValidator(schema)(given);
    return valid ? null : `invalid arguments: ${errorMessage}`;
  } catch (error) {
    return `its schema of arguments is not usable: ${messageOf(error)}`;
  }
}
