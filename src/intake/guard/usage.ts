import { Bucket } from "./bucket.ts";
import { type Limit, rates, type SourceLimits } from "./limits.ts";

/** What one sender of a source, or one address, has spent. */
export class SenderUsage {
  readonly requests = new Bucket();
  readonly rejectedBytes = new Bucket();
  readonly deadLetters = new Bucket();
  readonly deadLetterBytes = new Bucket();
  readonly newFingerprints = new Bucket();

  /** Nothing is spent: it can be forgotten. */
  isWhole(limits: SourceLimits, now: number): boolean {
    return (
      this.requests.isFull(rates.sender(limits), now) &&
      this.rejectedBytes.isFull(rates.rejectedBytes(limits), now) &&
      this.deadLetters.isFull(rates.deadLetters(limits), now) &&
      this.deadLetterBytes.isFull(rates.deadLetterBytes(limits), now) &&
      this.newFingerprints.isFull(rates.newFingerprints(limits), now)
    );
  }
}

// Senders that are told apart; those beyond share one usage, so that made-up addresses gain nothing.
const SENDERS = 1_000;
// Fingerprints that are remembered to tell the new from the known: about 10 MB for a source at most.
const FINGERPRINTS = 50_000;
const OTHERS = "";

/** What is known of one source: in memory, and bounded whatever comes. */
export class SourceUsage {
  readonly requests = new Bucket();
  /** Bytes of dead letters that are kept. */
  kept = 0;
  /** When a call was last refused by each limit, in milliseconds. */
  readonly refused = new Map<Limit, number>();
  readonly #senders = new Map<string, SenderUsage>();
  #fingerprints = new Set<string>();
  #older = new Set<string>();

  senderUsage(name: string): SenderUsage {
    const known = this.#senders.get(name);
    if (known !== undefined) return known;
    const key = this.#senders.size >= SENDERS ? OTHERS : name;
    const senderUsage = this.#senders.get(key) ?? new SenderUsage();
    this.#senders.set(key, senderUsage);
    return senderUsage;
  }

  /** Those that were not seen lately. */
  unknown(fingerprints: readonly string[]): string[] {
    return [...new Set(fingerprints)].filter((one) => !this.#fingerprints.has(one) && !this.#older.has(one));
  }

  /** Two generations: the older goes when the younger is full, so what comes again and again stays. */
  remember(fingerprints: readonly string[]): void {
    for (const one of fingerprints) {
      if (this.#fingerprints.size >= FINGERPRINTS / 2) {
        this.#older = this.#fingerprints;
        this.#fingerprints = new Set();
      }
      this.#fingerprints.add(one);
    }
  }

  /** Forgets the senders that owe nothing. */
  sweep(limits: SourceLimits, now: number): void {
    for (const [name, senderUsage] of this.#senders)
      if (senderUsage.isWhole(limits, now)) this.#senders.delete(name);
  }
}
