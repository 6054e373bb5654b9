import { z } from "zod";

/** Any of `routing_keys` is taken: while one replaces another, both are valid. */
export const config = z.strictObject({
  routing_keys: z.array(z.string().min(16)).default([]),
});
