import { z } from "zod";

/** A server of tools, as its operator has named it in the configuration. */
export const toolServerName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, "has lower case letters, digits, hyphens and underscores, at most 64");
/** A tool, as its server names it. */
export const toolName = z.string().regex(/^[A-Za-z0-9][\w./-]{0,127}$/, "is not the name of a tool");

const MAX_DEPTH = 10;
const MAX_TEXT = 20_000;

// Depth first of all: what is nested too deeply cannot even be walked.
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

/** What a tool is called with: JSON, of a size that people can read before they sign it. */
const toolArguments = z
  .record(z.string(), z.unknown())
  .refine((value) => isJson(value), `is not JSON of at most ${MAX_DEPTH} levels`)
  .refine((value) => JSON.stringify(value).length <= MAX_TEXT, `is longer than ${MAX_TEXT} characters`);

/** A call of a tool that an external server offers. */
export const toolCall = z.strictObject({
  kind: z.literal("tool.call"),
  target: z.strictObject({ kind: z.literal("tool"), name: toolName, host: toolServerName }),
  parameters: z.strictObject({
    arguments: toolArguments,
    /** SHA-256 of the schema of its arguments when the plan was made: of another the signatures do not hold. */
    schema: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional(),
  }),
});
