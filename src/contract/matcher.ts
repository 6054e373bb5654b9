import { z } from "zod";

/** One condition on a label: a label that is missing is the empty text; an expression fits the whole value. */
export const matcherSchema = z.strictObject({
  name: z.string().min(1).max(200),
  value: z.string().max(1_000),
  is_regex: z.boolean().default(false),
  is_equal: z.boolean().default(true),
});
export type Matcher = z.infer<typeof matcherSchema>;
