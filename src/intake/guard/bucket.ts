/** Up to `capacity` at once, and `per_second` on average. */
export type Rate = { capacity: number; per_second: number };

// What was spent beyond the capacity is paid off within so many seconds: whoever has mended its ways is not
// kept waiting for what it did before.
const LONGEST_DEBT = 60;

/** A token bucket whose rate may change while it is in use. Times are milliseconds of one clock. */
export class Bucket {
  #spent = 0;
  #at = 0;

  /** What may be spent now; 0 or less: nothing. */
  left(rate: Rate, now: number): number {
    const refilled = (Math.max(0, now - this.#at) / 1000) * rate.per_second;
    this.#spent = Math.max(0, this.#spent - refilled);
    this.#at = now;
    return rate.capacity - this.#spent;
  }

  /** Spends also what is not there. */
  spend(amount: number, rate: Rate, now: number): void {
    this.left(rate, now);
    const most = rate.capacity + LONGEST_DEBT * rate.per_second;
    this.#spent = Math.min(this.#spent + amount, most);
  }

  isFull(rate: Rate, now: number): boolean {
    return this.left(rate, now) >= rate.capacity;
  }

  /** Whole seconds until `amount` may be spent; at least 1. */
  wait(amount: number, rate: Rate, now: number): number {
    return Math.max(1, Math.ceil((amount - this.left(rate, now)) / rate.per_second));
  }
}
