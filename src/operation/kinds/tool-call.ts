import { z } from "zod";
import { clip } from "../../lib/clip.ts";
import { redact } from "../../lib/redact.ts";
import { defineOperation, ON_HOST } from "../kind.ts";
import { toolName, toolServerName } from "../names.ts";

const MAX_DEPTH = 10;
const MAX_TEXT = 20_000;

// Checks the depth first, which bounds the recursion.
function isJson(value: unknown, depth = 0): boolean {
  if (depth > MAX_DEPTH) return false;
  if (typeof value === "string") return value.isWellFormed() && !value.includes("\0");
  if (typeof value === "number") return Number.isFinite(value);
  if (value === null || typeof value === "boolean") return true;
  if (Array.isArray(value)) return value.every((item) => isJson(item, depth + 1));
  return (
    typeof value === "object" &&
    Object.entries(value).every(
      ([key, item]) => key !== "__proto__" && isJson(key, depth) && isJson(item, depth + 1),
    )
  );
}

/** A tool's arguments: JSON, short enough for people to read before they sign it. */
const toolArguments = z
  .record(z.string(), z.unknown())
  .refine((value) => isJson(value), `is not JSON of at most ${MAX_DEPTH} levels`)
  .refine((value) => JSON.stringify(value).length <= MAX_TEXT, `is longer than ${MAX_TEXT} characters`);

// Characters of the arguments in a title; the signed operation has all of them.
const ARGUMENTS_SHOWN = 200;

/** A call of a tool on an MCP server. */
export const toolCall = defineOperation({
  schema: z.strictObject({
    kind: z.literal("tool.call"),
    target: z.strictObject({ kind: z.literal("tool"), name: toolName, host: toolServerName }),
    parameters: z.strictObject({
      arguments: toolArguments,
      /** SHA-256 of the tool's argument schema when the plan was made; if it changes, the call is refused. */
      schema: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .optional(),
    }),
  }),
  // The strictest values; the operator sets a tool's real traits in the configuration.
  traits: {
    ...ON_HOST,
    tool: "tool_call",
    scope: "admin",
    idempotent: false,
    risk: "critical",
    data_impact: "WRITE",
    verify: ["alert_silent"],
  },
  title({ target, parameters }) {
    const given = JSON.stringify(redact(parameters.arguments));
    return `Call the tool ${target.name} of ${target.host} with ${clip(given, ARGUMENTS_SHOWN + 1)}`;
  },
  redacted: (operation) => ({
    ...operation,
    parameters: {
      ...operation.parameters,
      arguments: redact(operation.parameters.arguments) as typeof operation.parameters.arguments,
    },
  }),
});
