import { z } from "zod";
import { wireTime } from "./common.ts";

/** A dead man's switch: a sign of life that is waited for. */
export const heartbeat = z.object({
  heartbeat_id: z.string(),
  name: z.string(),
  /** null: of whatever source. */
  source: z.string().nullable(),
  /** Named in the configuration; else learnt when the first came. */
  expected: z.boolean(),
  /** Of the alert that its silence raises. */
  severity: z.string(),
  state: z.enum(["alive", "missing"]),
  /** Seconds of silence after which it is missing. */
  interval: z.number(),
  watched_since: wireTime,
  last_heard_at: wireTime.nullable(),
  missing_since: wireTime.nullable(),
});
export type WireHeartbeat = z.infer<typeof heartbeat>;
