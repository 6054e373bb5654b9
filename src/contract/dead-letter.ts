import { z } from "zod";
import { pageQuery, wireTime } from "./common.ts";

/**
 * A receipt that could not be understood, or not all of it. `replaying`: it has been taken up again and
 * waits for its turn; `replayed`: by now it has been understood.
 */
const deadLetterState = z.enum(["dead", "replaying", "replayed"]);

export const deadLetter = z.object({
  dead_letter_id: z.string(),
  source: z.string(),
  /** How the sender was admitted. */
  sender: z.string(),
  state: deadLetterState,
  /** What was not understood, credentials taken out; while it is replayed, what was not understood before. */
  error: z.string().nullable(),
  /** How often it was taken up again. */
  replays: z.number().int(),
  /** Alerts in it that were understood. */
  alert_count: z.number().int(),
  /** Of the body. */
  bytes: z.number().int(),
  received_at: wireTime,
  processed_at: wireTime.nullable(),
});
export type DeadLetter = z.infer<typeof deadLetter>;

/** `body` is as it came, what admits senders taken out and bytes that are no UTF-8 replaced; null for who may not see it. */
export const deadLetterWithBody = deadLetter.extend({ body: z.string().nullable() });
export type DeadLetterWithBody = z.infer<typeof deadLetterWithBody>;

export const deadLetterQuery = pageQuery.extend({
  source: z
    .string()
    .regex(/^[a-z0-9:_-]{1,64}$/, "is not a source")
    .optional(),
});
export type DeadLetterQuery = z.infer<typeof deadLetterQuery>;
