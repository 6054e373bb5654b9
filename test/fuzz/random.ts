import type { Random } from "../../src/lib/id.ts";
import { between, seededRandom } from "../support/random.ts";

/** Draws, all of them from one seed. */
export class Draw {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** A whole number from `low` up to and including `high`. */
  number(low: number, high: number): number {
    return between(this.#random, low, high);
  }

  /** True once in `times` draws. */
  once(times: number): boolean {
    return this.number(1, times) === 1;
  }

  of<T>(items: readonly [T, ...T[]] | readonly T[]): T {
    return items[this.number(0, items.length - 1)] as T;
  }

  bytes(size: number): Buffer {
    return this.#random(size);
  }
}
