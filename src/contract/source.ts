import { z } from "zod";
import { pageQuery, wireTime } from "./common.ts";

const sourceId = z.string().regex(/^[A-Za-z0-9:_.-]{1,64}$/, "is not a source");

/** The limits of a source, from `intake.limits`. */
const sourceLimits = z.object({
  requests_per_second: z.number(),
  burst: z.number(),
  sender_requests_per_second: z.number(),
  body_limit: z.number().int().describe("Bytes"),
  wasted_bytes_per_second: z.number(),
  dead_letters_per_hour: z.number(),
  dead_letter_bytes_per_hour: z.number(),
  dead_letter_bytes_kept: z.number(),
  new_fingerprints: z.number(),
  new_fingerprints_per_hour: z.number(),
});

/** A source of alerts. `calls` counts the last 24 hours, by whole hours, and lags by a few seconds. */
const source = z.object({
  source: z.string(),
  kind: z.string().describe("The adapter"),
  path: z.string().nullable().describe("Its path; null: no longer configured"),
  last_accepted_at: wireTime.nullable().describe("Null: not as far back as the journal goes"),
  last_refused_at: wireTime.nullable(),
  calls: z.object({
    received: z.number().int(),
    accepted: z.number().int(),
    refused: z.number().int(),
    dead: z.number().int().describe("Of the accepted: not parsed, or only in part"),
  }),
  dead_letters: z.object({ count: z.number().int(), bytes: z.number().int() }).describe("All that are kept"),
  limits: sourceLimits,
  limited: z.array(z.string()).describe("The limits by which calls were refused within the last minute"),
});
export type SourceReport = z.infer<typeof source>;

export const sourceList = z.object({ items: z.array(source) });

/** The refused calls of one source and sender within one hour, for the same reason. */
export const refusedCalls = z.object({
  source: z.string(),
  reason: z.string().describe("An error code, or the limit that was reached"),
  sender: z.string().describe("Address, of IPv6 the network; `others` past 500 in an hour"),
  hour: wireTime,
  count: z.number().int(),
  first_at: wireTime,
  last_at: wireTime,
  sample: z.string().nullable().describe("The answer to the first of them"),
});
export type RefusedCalls = z.infer<typeof refusedCalls>;

export const refusedQuery = pageQuery.extend({
  source: sourceId.optional(),
  reason: z
    .string()
    .regex(/^[a-z_]{1,64}$/, "is not a reason")
    .optional(),
  sender: z
    .string()
    .regex(/^[A-Za-z0-9:./ _-]{1,128}$/, "is not a sender")
    .optional(),
});
export type RefusedQuery = z.infer<typeof refusedQuery>;
