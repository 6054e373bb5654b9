import type { Clock } from "../../lib/clock.ts";
import { AwoooiError, withoutTraces } from "../../lib/error.ts";
import type { Bucket, Rate } from "./bucket.ts";
import { LIMITS, type Limit, rates, SourceLimited, type SourceLimits } from "./limits.ts";
import type { DeadLetterStock } from "./store.ts";
import { type SenderUsage, SourceUsage } from "./usage.ts";

/** A call before its body is read. `length` is null where it is not said. */
export type Arrival = { source: string; address: string; length: number | null };

/** What a body would come to: whether it, or a part of it, is a dead letter, and what fires in it. */
export type Preview = { dead: boolean; fingerprints: readonly string[] };

/** What a call was counted as before it was written down. */
export type Counted = { dead: boolean };

type Sent = { source: string; sender: string; bytes: number };

/** What a body of this size costs is not worth a refusal: it is looked at even of a sender that owes. */
export const SMALL_BODY = 16 * 1024;
// Above this, what a body comes to is looked at before it is written down, whoever sends it.
const LARGE_BODY = 64 * 1024;
// What a row takes besides its body, with its share of the indexes.
const ROW = 1_024;
// A source is limited for as long after a call was refused for it.
const LIMITED_MS = 60_000;

/**
 * Bounds what a source can cost the others: time, and room on the disk. Everything is in memory and bounded;
 * what is refused is not acknowledged, so its sender sends it again.
 */
export class Guard {
  readonly #limits: (source: string) => SourceLimits;
  readonly #clock: Clock;
  readonly #usages = new Map<string, SourceUsage>();
  /** Receipts that were looked at when they were admitted, and whether they were counted as dead letters then. */
  readonly #counted = new Map<number, boolean>();

  /** `limits` gives those in force. */
  constructor(limits: (source: string) => SourceLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Before the body is read. Throws `source_limited`, or `too_large` for the source's own limit. */
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
      const words = `Too much of what this address sent was useless; bodies above ${SMALL_BODY} bytes wait.`;
      this.#demand(usage, "wasted_bytes", senderUsage.rejectedBytes, rates.rejectedBytes(limits), now, words);
    }
  }

  /** So many bytes were read for a call that was refused. */
  countRejected({ source, address, bytes }: { source: string; address: string; bytes: number }): void {
    const { limits, usage, now } = this.#of(source);
    if (bytes > 0) usage.senderUsage(address).rejectedBytes.spend(bytes, rates.rejectedBytes(limits), now);
  }

  /**
   * Before a body is written down; `preview` says what would come of it, which is only asked where it matters.
   * Throws `source_limited`, else returns what was counted: then say which receipt it became.
   */
  admit(sent: Sent, preview: () => Preview): Counted | null {
    const { limits, usage, now } = this.#of(sent.source);
    this.#fits(limits, sent.bytes);
    const senderUsage = usage.senderUsage(sent.sender);
    if (sent.bytes < LARGE_BODY && !this.#isSuspect(senderUsage, limits, now)) return null;
    const { dead, fingerprints } = preview();
    const newFingerprints = usage.unknown(fingerprints);
    if (dead) {
      const words =
        "This is not understood, and no more of that is kept of this sender now: see its dead letters.";
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
          "This is not understood, and the dead letters of this source are full.",
        );
    }
    if (newFingerprints.length > 0) {
      const words = "Too many alerts of this sender are about something new; what is known goes on.";
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

  /** The receipt that a counted call became. */
  counted(seq: number, { dead }: Counted): void {
    this.#counted.set(seq, dead);
  }

  /** What came of a receipt. */
  processed({ seq, dead, fingerprints, ...sent }: Sent & Preview & { seq: number }): void {
    const { usage } = this.#of(sent.source);
    // Of a large body only the beginning was looked at.
    const newFingerprints = usage.unknown(fingerprints);
    this.#spend(sent, { dead: dead && this.#counted.get(seq) !== true, newFingerprints });
    this.#counted.delete(seq);
    // What is known and comes again stays known.
    usage.remember(fingerprints);
  }

  /** What the database holds: at the start with `anew`, later only how much there is by now. */
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

  /** By what calls of a source were refused within the last minute. */
  limited(source: string): Limit[] {
    const { usage, now } = this.#of(source);
    return LIMITS.filter((limit) => now - (usage.refused.get(limit) ?? -Infinity) < LIMITED_MS);
  }

  limitsOf(source: string): SourceLimits {
    return this.#limits(source);
  }

  /** Forgets the senders that owe nothing; call it every few seconds. */
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

  /** Whether what comes of its next body matters: it had dead letters, or has opened much that is new. */
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

  #demand(usage: SourceUsage, limit: Limit, bucket: Bucket, rate: Rate, now: number, words: string): void {
    // Rates that count calls want a whole one; what counts bytes may go below nothing once.
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
