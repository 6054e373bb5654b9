import { type Limit, rates, type SourceLimits } from "./limits.ts";
import { TokenBucket } from "./token-bucket.ts";

/** What one sender of a source, or one address, has spent of its limits. */
export class SenderUsage {
  readonly requests = new TokenBucket();
  readonly rejectedBytes = new TokenBucket();
  readonly deadLetters = new TokenBucket();
  readonly deadLetterBytes = new TokenBucket();
  readonly newFingerprints = new TokenBucket();

  /** Returns whether nothing is spent, so that the sender can be forgotten. */
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

// Most senders counted separately; further ones share one usage, so that made-up addresses gain nothing.
const SENDERS = 1_000;
// Most fingerprints remembered to recognise new ones: about 10 MB per source at most.
const FINGERPRINTS = 50_000;
const OTHERS = "";

/** The usage of one source, in memory and bounded whatever it sends. */
export class SourceUsage {
  readonly requests = new TokenBucket();
  /** Bytes of the dead letters in the database. */
  kept = 0;
  /** When each limit last refused a call, in milliseconds. */
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

  /** Returns the fingerprints that were not seen lately, without duplicates. */
  unknown(fingerprints: readonly string[]): string[] {
    return [...new Set(fingerprints)].filter((one) => !this.#fingerprints.has(one) && !this.#older.has(one));
  }

  /** Remembers fingerprints in two generations: the older is dropped when the younger is full, so those that keep coming stay. */
  remember(fingerprints: readonly string[]): void {
    for (const one of fingerprints) {
      if (this.#fingerprints.size >= FINGERPRINTS / 2) {
        this.#older = this.#fingerprints;
        this.#fingerprints = new Set();
      }
      this.#fingerprints.add(one);
    }
  }

  /** Forgets the senders whose allowances are all unspent. */
  sweep(limits: SourceLimits, now: number): void {
    for (const [name, senderUsage] of this.#senders)
      if (senderUsage.isWhole(limits, now)) this.#senders.delete(name);
  }
}
