import type { Clock } from "../../lib/clock.ts";
import { AwoooiError, withoutTraces } from "../../lib/error.ts";
import { LIMITS, type Limit, rates, SourceLimited, type SourceLimits } from "./limits.ts";
import type { DeadLetterStock } from "./store.ts";
import type { Rate, TokenBucket } from "./token-bucket.ts";
import { type SenderUsage, SourceUsage } from "./usage.ts";

/** A call before its body is read. `length` is null where the call does not state it. */
export type Arrival = { source: string; address: string; length: number | null };

/** What a body would result in: whether it, or a part of it, is a dead letter, and the fingerprints of its firing alerts. */
export type BodyPreview = { dead: boolean; fingerprints: readonly string[] };

/** What a call was counted as before it was journalled. */
export type CountedCall = { dead: boolean };

type Sent = { source: string; sender: string; bytes: number };

/** Bodies up to this size cost too little to be refused: they are read even from a sender that has used up its `wasted_bytes`. */
export const SMALL_BODY = 16 * 1024;
// Bodies of this size or more are previewed before they are journalled.
const LARGE_BODY = 64 * 1024;
// Bytes of a row besides its body, with its share of the indexes.
const ROW = 1_024;
// How long after a refused call a source is reported as limited.
const LIMITED_MS = 60_000;

/**
 * Bounds what one source can cost all others: processing time, and disk space. Its state is in memory and bounded; a refused call
 * is not acknowledged, so its sender sends it again.
 */
export class SourceLimiter {
  readonly #limits: (source: string) => SourceLimits;
  readonly #clock: Clock;
  readonly #usages = new Map<string, SourceUsage>();
  /** Receipts that were previewed when they were admitted, and whether they were counted as dead letters then. */
  readonly #counted = new Map<number, boolean>();

  /** `limits` returns the limits in force for a source. */
  constructor(limits: (source: string) => SourceLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Admits a call before its body is read. Throws `source_limited`, or `too_large` for the source's own limit. */
  enter({ source, address, length }: Arrival): void {
    const { limits, usage, now } = this.#of(source);
    const senderUsage = usage.senderUsage(address);
    this.#fits(limits, length ?? 0);
    const whole = rates.source(limits);
    const own = rates.sender(limits);
    this.#demand(usage, "requests_per_second", usage.requests, whole, now, "This source calls too often.");
    this.#demand(
      usage,
      "sender_requests_per_second",
      senderUsage.requests,
      own,
      now,
      "This address calls too often.",
    );
    usage.requests.spend(1, whole, now);
    senderUsage.requests.spend(1, own, now);
    if (length === null || length > SMALL_BODY) {
      const words = `Too many bytes from this address were refused; bodies above ${SMALL_BODY} bytes must wait.`;
      this.#demand(usage, "wasted_bytes", senderUsage.rejectedBytes, rates.rejectedBytes(limits), now, words);
    }
  }

  /** Counts the bytes that were read for a refused call. */
  countRejected({ source, address, bytes }: { source: string; address: string; bytes: number }): void {
    const { limits, usage, now } = this.#of(source);
    if (bytes > 0) usage.senderUsage(address).rejectedBytes.spend(bytes, rates.rejectedBytes(limits), now);
  }

  /**
   * Admits a body before it is journalled; `preview` decodes it, and is only called where the result matters. Throws
   * `source_limited`, else returns what was counted: then call `counted` with its receipt; null: not previewed.
   */
  admit(sent: Sent, preview: () => BodyPreview): CountedCall | null {
    const { limits, usage, now } = this.#of(sent.source);
    this.#fits(limits, sent.bytes);
    const senderUsage = usage.senderUsage(sent.sender);
    if (sent.bytes < LARGE_BODY && !this.#isSuspect(senderUsage, limits, now)) return null;
    const { dead, fingerprints } = preview();
    const newFingerprints = usage.unknown(fingerprints);
    if (dead) {
      const words = "This cannot be parsed, and this sender has too many dead letters: see them.";
      this.#demand(usage, "dead_letters", senderUsage.deadLetters, rates.deadLetters(limits), now, words);
      this.#demand(
        usage,
        "dead_letters",
        senderUsage.deadLetterBytes,
        rates.deadLetterBytes(limits),
        now,
        words,
      );
      if (usage.kept + sent.bytes > limits.dead_letter_bytes_kept)
        this.#refuse(
          usage,
          "dead_letter_bytes_kept",
          now,
          600,
          "This cannot be parsed, and the dead letters of this source are full.",
        );
    }
    if (newFingerprints.length > 0) {
      const words = "Too many new alerts from this sender; known alerts are still accepted.";
      this.#demand(
        usage,
        "new_fingerprints",
        senderUsage.newFingerprints,
        rates.newFingerprints(limits),
        now,
        words,
      );
    }
    this.#spend(sent, { dead, newFingerprints });
    return { dead };
  }

  /** Notes the receipt that a call counted by `admit` became. */
  counted(seq: number, { dead }: CountedCall): void {
    this.#counted.set(seq, dead);
  }

  /** Counts the result of a processed receipt. */
  processed({ seq, dead, fingerprints, ...sent }: Sent & BodyPreview & { seq: number }): void {
    const { usage } = this.#of(sent.source);
    // `admit` previews only the beginning of a large body, so more of its fingerprints may be new.
    const newFingerprints = usage.unknown(fingerprints);
    this.#spend(sent, { dead: dead && this.#counted.get(seq) !== true, newFingerprints });
    this.#counted.delete(seq);
    // Fingerprints that keep coming stay known.
    usage.remember(fingerprints);
  }

  /** Sets the stock of dead letters from the database; at the start, with `anew`, also charges senders for recent ones. */
  stock(rows: readonly DeadLetterStock[], anew = false): void {
    for (const usage of this.#usages.values()) usage.kept = 0;
    for (const { source, sender, deadLetters, bytes, lately, lately_bytes } of rows) {
      const { limits, usage, now } = this.#of(source);
      usage.kept += bytes + deadLetters * ROW;
      if (!anew) continue;
      const senderUsage = usage.senderUsage(sender);
      senderUsage.deadLetters.spend(lately, rates.deadLetters(limits), now);
      senderUsage.deadLetterBytes.spend(lately_bytes, rates.deadLetterBytes(limits), now);
    }
  }

  /** Returns the limits by which calls of a source were refused within the last minute. */
  limited(source: string): Limit[] {
    const { usage, now } = this.#of(source);
    return LIMITS.filter((limit) => now - (usage.refused.get(limit) ?? -Infinity) < LIMITED_MS);
  }

  limitsOf(source: string): SourceLimits {
    return this.#limits(source);
  }

  /** Forgets senders whose allowances are all unspent; call it every few seconds. */
  sweep(): void {
    const now = this.#clock.now().getTime();
    for (const [source, usage] of this.#usages) usage.sweep(this.#limits(source), now);
  }

  #of(source: string) {
    const usage = this.#usages.get(source) ?? new SourceUsage();
    this.#usages.set(source, usage);
    return { limits: this.#limits(source), usage, now: this.#clock.now().getTime() };
  }

  #fits({ body_limit }: SourceLimits, bytes: number): void {
    if (body_limit !== undefined && bytes > body_limit)
      throw new AwoooiError("too_large", `The body is larger than the ${body_limit} bytes of this source.`);
  }

  /** Returns whether to preview the sender's next body: it had dead letters lately, or many new fingerprints. */
  #isSuspect(senderUsage: SenderUsage, limits: SourceLimits, now: number): boolean {
    const newFingerprints = rates.newFingerprints(limits);
    return (
      !senderUsage.deadLetters.isFull(rates.deadLetters(limits), now) ||
      senderUsage.newFingerprints.left(newFingerprints, now) < newFingerprints.capacity / 2
    );
  }

  #spend(
    { source, sender, bytes }: Sent,
    { dead, newFingerprints }: { dead: boolean; newFingerprints: readonly string[] },
  ): void {
    const { limits, usage, now } = this.#of(source);
    const senderUsage = usage.senderUsage(sender);
    if (dead) {
      senderUsage.deadLetters.spend(1, rates.deadLetters(limits), now);
      senderUsage.deadLetterBytes.spend(bytes, rates.deadLetterBytes(limits), now);
      usage.kept += bytes + ROW;
    }
    senderUsage.newFingerprints.spend(newFingerprints.length, rates.newFingerprints(limits), now);
    usage.remember(newFingerprints);
  }

  #demand(
    usage: SourceUsage,
    limit: Limit,
    bucket: TokenBucket,
    rate: Rate,
    now: number,
    words: string,
  ): void {
    // Any positive rest admits the call, which may then overspend the bucket once.
    if (bucket.left(rate, now) > 0) return;
    this.#refuse(usage, limit, now, bucket.wait(1, rate, now), words);
  }

  #refuse(usage: SourceUsage, limit: Limit, now: number, retryAfter: number, words: string): never {
    usage.refused.set(limit, now);
    throw withoutTraces(
      () => new SourceLimited(limit, `${words} Send it again later (intake.limits).`, retryAfter),
    );
  }
}
