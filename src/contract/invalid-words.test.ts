import { expect, it } from "vitest";
import { z } from "zod";
import "./common.ts";

const wrong = (schema: z.ZodType, value: unknown) => schema.safeParse(value).error?.issues[0]?.message;

it.each([
  [z.string(), undefined, "is missing: it must be text"],
  [z.number(), "8080", "must be a number, not text"],
  [z.array(z.string()), null, "must be a list, not nothing"],
  [z.strictObject({}), [], "must be an object, not a list"],
  [z.int(), 1.5, "must be a whole number, not a number"],
  [z.number().max(65_535), 70_000, "must be at most 65535"],
  [z.number().positive(), 0, "must be more than 0"],
  [z.string().max(2), "abc", "must have at most 2 characters"],
  [z.array(z.string()).min(1), [], "must not be empty"],
  [z.enum(["low", "high"]), "awful", "must be one of low, high"],
  [z.literal("v2"), "v1", "must be v2"],
  [z.url(), "here", "must be a URL"],
  [z.iso.datetime(), "yesterday", "must be a time such as 2026-07-01T12:00:00Z"],
  [z.strictObject({ a: z.string() }), { a: "", b: 1 }, "must not have b"],
  [z.union([z.string(), z.number()]), null, "has none of the allowed forms"],
  [z.string().regex(/^a$/, "is no a"), "b", "is no a"],
])("says in plain words what %o has against %j", (schema, value, words) => {
  expect(wrong(schema, value)).toBe(words);
});
