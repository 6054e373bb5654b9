import { z } from "zod";
import { example } from "../../lib/setting.ts";
import { timeInterval } from "../../lib/time-interval.ts";

/** A recurring time window in which no change is made. */
export const freezeWindow = z.strictObject({
  name: example(
    z.string().regex(/^[\w.-]{1,64}$/, "a name has letters, digits, dots, hyphens and underscores"),
    "month-end",
  ),
  why: example(z.string().min(1), "the books are closed"),
  time_intervals: z
    .array(timeInterval)
    .min(1)
    .describe("as in Alertmanager: one of the intervals must match, with one entry of each of its lists"),
});
export type FreezeWindow = z.infer<typeof freezeWindow>;
