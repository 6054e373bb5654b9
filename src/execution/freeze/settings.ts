import { z } from "zod";
import { timeInterval } from "../../lib/time-interval.ts";

/** A recurring time window in which no change is made. */
export const freezeWindow = z.strictObject({
  name: z.string().regex(/^[\w.-]{1,64}$/, "a name has letters, digits, dots, hyphens and underscores"),
  why: z.string().min(1),
  time_intervals: z.array(timeInterval).min(1),
});
export type FreezeWindow = z.infer<typeof freezeWindow>;
