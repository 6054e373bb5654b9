import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";
import { AwoooiError } from "../lib/error.ts";
import { Semaphore } from "../lib/semaphore.ts";

/** Bounds of answers that may be large. */
export type ListBounds = {
  /** Readers served at once; readers that may wait for a place; and how long they wait. */
  readers: number;
  waiting: number;
  wait_ms: number;
  /** A reader that reads nothing for `idle_ms`, or takes more than `whole_ms` in all, is cut off. */
  idle_ms: number;
  whole_ms: number;
};

const SHIPPED: ListBounds = { readers: 4, waiting: 16, wait_ms: 5_000, idle_ms: 10_000, whole_ms: 120_000 };
const RETRY_AFTER = 5;

const busy = () =>
  new AwoooiError("overloaded", "Too many clients read such lists now; try again.", {
    retryAfter: RETRY_AFTER,
  });

/** Ends the connection of a reader that is too slow, even where only the end of the answer is missing. */
function cutSlow({ raw }: FastifyReply, { idle_ms, whole_ms }: ListBounds): void {
  raw.setTimeout(idle_ms, () => raw.destroy());
  const late = setTimeout(() => raw.destroy(), whole_ms);
  raw.once("close", () => clearTimeout(late));
}

/** Sends large lists: to few readers at once, with at most one page of each in memory, and one page being built at a time. */
export class StreamedLists {
  readonly #bounds: ListBounds;
  readonly #readers: Semaphore;
  readonly #making: Semaphore;

  constructor(bounds: ListBounds = SHIPPED) {
    this.#bounds = bounds;
    this.#readers = new Semaphore(bounds.readers, bounds.waiting);
    this.#making = new Semaphore(1, bounds.readers);
  }

  /** Answers a JSON array of the pages' entries, as fast as it is read. Throws `overloaded`, and what the first page throws. */
  async send(reply: FastifyReply, pages: AsyncGenerator<unknown[]>): Promise<FastifyReply> {
    const done = await this.#readers.take(this.#bounds.wait_ms);
    if (done === null) throw busy();
    try {
      const first = await this.#next(pages);
      const body = Readable.from(this.#texts(pages, first), { highWaterMark: 1 });
      body.once("close", done);
      cutSlow(reply, this.#bounds);
      return reply.type("application/json; charset=utf-8").send(body);
    } catch (error) {
      done();
      throw error;
    }
  }

  /** Runs `work`, which builds a whole answer at once, in the place of one reader. Throws `overloaded`. */
  async whole<T>(work: () => Promise<T>): Promise<T> {
    const done = await this.#readers.take(this.#bounds.wait_ms);
    if (done === null) throw busy();
    return work().finally(done);
  }

  async #next(pages: AsyncGenerator<unknown[]>): Promise<string | null> {
    const made = await this.#making.take(this.#bounds.whole_ms);
    if (made === null) throw busy();
    try {
      const { value, done } = await pages.next();
      return done === true ? null : (value as unknown[]).map((one) => JSON.stringify(one)).join(",");
    } finally {
      made();
    }
  }

  async *#texts(pages: AsyncGenerator<unknown[]>, first: string | null): AsyncGenerator<string> {
    let before = "[";
    try {
      for (let text = first; text !== null; text = await this.#next(pages)) {
        if (text === "") continue;
        yield before + text;
        before = ",";
      }
      yield before === "[" ? "[]" : "]";
    } finally {
      await pages.return(undefined);
    }
  }
}
