import { AwoooiError } from "../../lib/error.ts";
import type { Rate } from "./token-bucket.ts";

/** What one source may do; see `intake.limits` in docs/reference/awoooi.yaml. */
export type SourceLimits = {
  requests_per_second: number;
  burst: number;
  sender_requests_per_second: number;
  /** Bytes; undefined: the limit that applies to all sources. */
  body_limit?: number | undefined;
  wasted_bytes_per_second: number;
  dead_letters_per_hour: number;
  dead_letter_bytes_per_hour: number;
  dead_letter_bytes_kept: number;
  new_fingerprints: number;
  new_fingerprints_per_hour: number;
};

export const LIMITS = [
  "requests_per_second",
  "sender_requests_per_second",
  "wasted_bytes",
  "dead_letters",
  "dead_letter_bytes_kept",
  "new_fingerprints",
] as const;
/** A limit that a call can be refused by. */
export type Limit = (typeof LIMITS)[number];

/** Refusal of a call because of how much its source or sender sends. The call was not acknowledged. */
export class SourceLimited extends AwoooiError {
  readonly limit: Limit;

  constructor(limit: Limit, detail: string, retryAfter: number) {
    super("source_limited", detail, { retryAfter: Math.min(retryAfter, 600) });
    this.limit = limit;
  }
}

const HOUR = 3_600;
// Seconds of the wasted-bytes rate that may be spent at once: enough for a few invalid bodies of the largest size.
const WASTE_SECONDS = 32;

const perHour = (count: number): Rate => ({ capacity: count, per_second: count / HOUR });

/** Converts limits into rates for buckets. */
export const rates = {
  source: (limits: SourceLimits): Rate => ({
    capacity: limits.burst,
    per_second: limits.requests_per_second,
  }),
  sender: ({ burst, requests_per_second: whole, sender_requests_per_second: own }: SourceLimits): Rate => ({
    capacity: Math.max(1, (burst * own) / whole),
    per_second: own,
  }),
  rejectedBytes: ({ wasted_bytes_per_second: bytes }: SourceLimits): Rate => ({
    capacity: WASTE_SECONDS * bytes,
    per_second: bytes,
  }),
  deadLetters: (limits: SourceLimits): Rate => perHour(limits.dead_letters_per_hour),
  deadLetterBytes: (limits: SourceLimits): Rate => perHour(limits.dead_letter_bytes_per_hour),
  newFingerprints: (limits: SourceLimits): Rate => ({
    capacity: limits.new_fingerprints,
    per_second: limits.new_fingerprints_per_hour / HOUR,
  }),
};
