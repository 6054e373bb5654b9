// What a sender that repeats itself every minute may miss without harm.
const BREAK_SECONDS = 60;

/**
 * Since when senders could reach us without a break. Each run of the sweep on a database that answers is a
 * sign of life: a longer time without one (we were down, it was away, the machine slept) is a break, and so
 * is a receipt that has waited for that long to be understood.
 */
export class IntakeUptime {
  readonly #every: () => number;
  #since: Date | null = null;
  #last: Date | null = null;

  /** `every`: seconds between two runs of the sweep. */
  constructor(every: () => number) {
    this.#every = every;
  }

  /** Since when, by the last run of the sweep; null before the first. */
  get begun(): Date | null {
    return this.#since;
  }

  /** Called by each run of the sweep; `understood_until`: what came before is understood. */
  since(now: Date, understood_until: Date): Date {
    const longest = Math.max(BREAK_SECONDS, 3 * this.#every()) * 1000;
    const silence = this.#last === null ? Number.POSITIVE_INFINITY : now.getTime() - this.#last.getTime();
    const late = now.getTime() - understood_until.getTime();
    if (this.#since === null || silence < 0 || silence > longest || late > longest) this.#since = now;
    this.#last = now;
    return this.#since;
  }
}
