import { z } from "zod";
import { wireText } from "./common.ts";

/** One condition on a label: a missing label counts as the empty string; a regular expression must match the whole value. */
export const matcherSchema = z.strictObject({
  name: wireText(200).min(1),
  value: wireText(1_000),
  is_regex: z.boolean().default(false),
  is_equal: z.boolean().default(true),
});
export type Matcher = z.infer<typeof matcherSchema>;
