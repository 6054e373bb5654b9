import { z } from "zod";
import { wireTime } from "./common.ts";

/** A dead man's switch: a recurring sign of life whose absence raises an alert. */
export const heartbeat = z.object({
  heartbeat_id: z.string(),
  name: z.string(),
  /** null: from any source. */
  source: z.string().nullable(),
  /** Whether the configuration names it; else it was learnt when the first one came. */
  expected: z.boolean(),
  /** Severity of the alert that its absence raises. */
  severity: z.string(),
  state: z.enum(["alive", "missing"]),
  /** Seconds without a heartbeat after which it is missing. */
  interval: z.number(),
  watched_since: wireTime,
  last_heard_at: wireTime.nullable(),
  missing_since: wireTime.nullable(),
});
export type WireHeartbeat = z.infer<typeof heartbeat>;
