/** A semaphore with a bounded queue: when all places are taken, a caller waits in it for a bounded time. */
export class Semaphore {
  #free: number;
  readonly #longest: number;
  readonly #line: (() => void)[] = [];

  constructor(places: number, waiting: number) {
    this.#free = places;
    this.#longest = waiting;
  }

  /** Resolves to a function that gives the place back (idempotent); null if the queue was full or `ms` passed. */
  async take(ms: number): Promise<(() => void) | null> {
    if (this.#free === 0) {
      if (this.#line.length >= this.#longest || !(await this.#wait(ms))) return null;
    } else this.#free -= 1;
    let held = true;
    return () => {
      if (held) this.#give();
      held = false;
    };
  }

  /** Queues the caller; resolves to whether it was given a place within `ms`. */
  #wait(ms: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const grant = () => {
      clearTimeout(late);
      resolve(true);
    };
    const late = setTimeout(() => {
      this.#line.splice(this.#line.indexOf(grant), 1);
      resolve(false);
    }, ms);
    this.#line.push(grant);
    return promise;
  }

  /** Hands the place to the caller that has waited longest; without one it becomes free. */
  #give(): void {
    const next = this.#line.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
