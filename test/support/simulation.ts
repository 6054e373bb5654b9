import type { Clock } from "../../src/lib/clock.ts";
import type { Random } from "../../src/lib/id.ts";

/** Chances from seeded bytes. */
export class Dice {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** From 0 up to 1. */
  share(): number {
    return this.#random(6).readUIntBE(0, 6) / 2 ** 48;
  }

  chance(probability: number): boolean {
    return this.share() < probability;
  }

  between(low: number, high: number): number {
    return low + this.share() * (high - low);
  }

  /** How long until what happens every `mean` seconds on the average. */
  until(mean: number): number {
    return -Math.log(1 - this.share()) * mean;
  }
}

type Event = { at: number; run: () => unknown };

/**
 * Time that passes as quickly as its events can be worked off. What happens at a moment runs until it has
 * ended or sleeps; only then comes the next moment. `jump` sets the clock on the wall, as an operator or a
 * broken time server does, and leaves what is to come as far away as it was.
 */
export class Simulation {
  #elapsed = 0;
  #wall: number;
  #events: Event[] = [];
  #running = 0;
  #settled: (() => void) | null = null;
  /** What went wrong in anything that was begun. */
  readonly errors: unknown[] = [];
  readonly clock: Clock;

  constructor(start: string) {
    this.#wall = Date.parse(start);
    this.clock = { now: () => new Date(this.#wall + this.#elapsed) };
  }

  /** Seconds since the beginning. */
  get elapsed(): number {
    return this.#elapsed / 1000;
  }

  jump(seconds: number): void {
    this.#wall += seconds * 1000;
  }

  after(seconds: number, run: () => unknown): void {
    const event = { at: this.#elapsed + Math.max(Math.round(seconds * 1000), 0), run };
    let low = 0;
    for (let high = this.#events.length; low < high; ) {
      const middle = (low + high) >> 1;
      if ((this.#events[middle] as Event).at <= event.at) low = middle + 1;
      else high = middle;
    }
    this.#events.splice(low, 0, event);
  }

  /** Seconds until the next event; infinite when there is none. */
  next(): number {
    return ((this.#events[0]?.at ?? Number.POSITIVE_INFINITY) - this.#elapsed) / 1000;
  }

  begin(work: () => Promise<unknown>): void {
    this.#running += 1;
    void work()
      .catch((error: unknown) => this.errors.push(error))
      .finally(() => this.leave());
  }

  /** What was begun ends here, without an end of its own: its process is gone. */
  leave(): void {
    this.#running -= 1;
    if (this.#running === 0) this.#settled?.();
  }

  /** Sleeps within something begun; `still` says at the end whether there is anybody to wake. */
  sleep(seconds: number, still: () => boolean = () => true): Promise<void> {
    return new Promise((resolve) => {
      this.after(seconds, () => {
        if (!still()) return;
        this.#running += 1;
        resolve();
      });
      this.leave();
    });
  }

  /** Goes on by so many seconds, to an event at the most, and lets what happens then come to rest. */
  async advance(seconds: number): Promise<void> {
    this.#elapsed += Math.round(Math.min(seconds, this.next()) * 1000);
    while (this.#events[0] !== undefined && this.#events[0].at <= this.#elapsed) {
      const event = this.#events.shift() as Event;
      this.begin(async () => event.run());
      await this.settle();
    }
  }

  async settle(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => (this.#settled = resolve));
    this.#settled = null;
    if (this.errors.length > 0) throw this.errors[0];
  }
}
