import { z } from "zod";
import { pageQuery, wireTime } from "./common.ts";

/**
 * State of a receipt that could not be parsed, or only in part. `replaying`: a replay was requested and waits for its
 * turn; `replayed`: a replay has parsed it.
 */
const deadLetterState = z.enum(["dead", "replaying", "replayed"]);

export const deadLetter = z.object({
  dead_letter_id: z.string(),
  source: z.string(),
  /** How the sender was admitted. */
  sender: z.string(),
  state: deadLetterState,
  /** What could not be parsed, credentials redacted; during a replay, the error of the previous attempt. */
  error: z.string().nullable(),
  /** Number of replays. */
  replays: z.number().int(),
  /** Number of alerts in it that could be parsed. */
  alert_count: z.number().int(),
  /** Size of the body. */
  bytes: z.number().int(),
  received_at: wireTime,
  processed_at: wireTime.nullable(),
});
export type DeadLetter = z.infer<typeof deadLetter>;

/** `body` as received, with senders' credentials removed and invalid UTF-8 replaced; null for callers who may not see it. */
export const deadLetterWithBody = deadLetter.extend({ body: z.string().nullable() });
export type DeadLetterWithBody = z.infer<typeof deadLetterWithBody>;

export const deadLetterQuery = pageQuery.extend({
  source: z
    .string()
    .regex(/^[a-z0-9:_-]{1,64}$/, "is not a source")
    .optional(),
});
export type DeadLetterQuery = z.infer<typeof deadLetterQuery>;
