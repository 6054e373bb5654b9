/** A rate: up to `capacity` at once, and `per_second` on average. */
export type Rate = { capacity: number; per_second: number };

// Overspending is capped at what refills within so many seconds, so that a sender that has been fixed is not kept waiting for
// what it sent before.
const LONGEST_DEBT = 60;

/** A token bucket whose rate may change while it is in use. Times are milliseconds of one clock. */
export class TokenBucket {
  #spent = 0;
  #at = 0;

  /** Returns what may be spent now; 0 or less: nothing. */
  left(rate: Rate, now: number): number {
    const refilled = (Math.max(0, now - this.#at) / 1000) * rate.per_second;
    this.#spent = Math.max(0, this.#spent - refilled);
    this.#at = now;
    return rate.capacity - this.#spent;
  }

  /** Spends `amount`, even beyond what is left. */
  spend(amount: number, rate: Rate, now: number): void {
    this.left(rate, now);
    const most = rate.capacity + LONGEST_DEBT * rate.per_second;
    this.#spent = Math.min(this.#spent + amount, most);
  }

  isFull(rate: Rate, now: number): boolean {
    return this.left(rate, now) >= rate.capacity;
  }

  /** Returns whole seconds until `amount` may be spent; at least 1. */
  wait(amount: number, rate: Rate, now: number): number {
    return Math.max(1, Math.ceil((amount - this.left(rate, now)) / rate.per_second));
  }
}
