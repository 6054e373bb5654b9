// How long intake may be away without harm: a sender that repeats every minute misses one repetition.
const BREAK_SECONDS = 60;

/**
 * Tracks since when senders could reach the server without a break. Each run of the sweep that reaches the database is a
 * sign of life. A longer gap (server down, database away, machine asleep) is a break, and so is a receipt that has waited
 * that long to be processed.
 */
export class IntakeUptime {
  readonly #every: () => number;
  #since: Date | null = null;
  #last: Date | null = null;

  /** `every`: seconds between two runs of the sweep. */
  constructor(every: () => number) {
    this.#every = every;
  }

  /** Start of the current period without a break, as of the last run of the sweep; null before the first. */
  get begun(): Date | null {
    return this.#since;
  }

  /**
   * Records a run of the sweep and returns the start of the current period. Receipts from before `understood_until` are
   * processed.
   */
  since(now: Date, understood_until: Date): Date {
    const longest = Math.max(BREAK_SECONDS, 3 * this.#every()) * 1000;
    const silence = this.#last === null ? Number.POSITIVE_INFINITY : now.getTime() - this.#last.getTime();
    const late = now.getTime() - understood_until.getTime();
    if (this.#since === null || silence < 0 || silence > longest || late > longest) this.#since = now;
    this.#last = now;
    return this.#since;
  }
}
