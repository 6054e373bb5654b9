import { Bucket } from "./bucket.ts";
import { type Limit, rates, type SourceLimits } from "./limits.ts";

/** What one sender of a source, or one address, has spent. */
export class Account {
  readonly requests = new Bucket();
  readonly wasted = new Bucket();
  readonly letters = new Bucket();
  readonly letterBytes = new Bucket();
  readonly fresh = new Bucket();

  /** Nothing is spent: it can be forgotten. */
  isWhole(limits: SourceLimits, now: number): boolean {
    return (
      this.requests.isFull(rates.sender(limits), now) &&
      this.wasted.isFull(rates.wasted(limits), now) &&
      this.letters.isFull(rates.letters(limits), now) &&
      this.letterBytes.isFull(rates.letterBytes(limits), now) &&
      this.fresh.isFull(rates.fresh(limits), now)
    );
  }
}

// Senders that are told apart; those beyond share one account, so that making up addresses gains nothing.
const SENDERS = 1_000;
// Fingerprints that are remembered to tell the new from the known: about 10 MB for a source at most.
const FINGERPRINTS = 50_000;
const OTHERS = "";

/** What is known of one source: in memory, and bounded whatever comes. */
export class Ledger {
  readonly requests = new Bucket();
  /** Bytes of dead letters that are kept. */
  kept = 0;
  /** When a call was last refused by each limit, in milliseconds. */
  readonly refused = new Map<Limit, number>();
  readonly #accounts = new Map<string, Account>();
  #fingerprints = new Set<string>();
  #older = new Set<string>();

  account(name: string): Account {
    const known = this.#accounts.get(name);
    if (known !== undefined) return known;
    const key = this.#accounts.size >= SENDERS ? OTHERS : name;
    const account = this.#accounts.get(key) ?? new Account();
    this.#accounts.set(key, account);
    return account;
  }

  /** Those that have not been heard of lately. */
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

  /** Forgets the accounts that owe nothing. */
  sweep(limits: SourceLimits, now: number): void {
    for (const [name, account] of this.#accounts)
      if (account.isWhole(limits, now)) this.#accounts.delete(name);
  }
}
