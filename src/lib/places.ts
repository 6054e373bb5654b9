/** A bounded number of places; who finds none waits in a bounded line for a bounded time. */
export class Places {
  #free: number;
  readonly #longest: number;
  readonly #line: (() => void)[] = [];

  constructor(places: number, waiting: number) {
    this.#free = places;
    this.#longest = waiting;
  }

  /** Resolves to what gives the place back, which may be called again; to null when there was none within `ms`. */
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

  /** Whether a place was handed over in time. */
  #wait(ms: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const turn = () => {
      clearTimeout(late);
      resolve(true);
    };
    const late = setTimeout(() => {
      this.#line.splice(this.#line.indexOf(turn), 1);
      resolve(false);
    }, ms);
    this.#line.push(turn);
    return promise;
  }

  /** To who waits longest, whose it is from then on. */
  #give(): void {
    const next = this.#line.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
