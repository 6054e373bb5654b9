import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";
import { AwoooiError } from "../lib/error.ts";
import { Places } from "../lib/places.ts";

/** Bounds of answers that may be large. */
export type ListBounds = {
  /** Readers who are served at once, and how many wait for them, how long. */
  readers: number;
  waiting: number;
  wait_ms: number;
  /** A reader who takes nothing for so long, or is not done within so long, is cut off. */
  idle_ms: number;
  whole_ms: number;
};

const SHIPPED: ListBounds = { readers: 4, waiting: 16, wait_ms: 5_000, idle_ms: 10_000, whole_ms: 120_000 };
const RETRY_AFTER = 5;

const busy = () =>
  new AwoooiError("overloaded", "Too many read such lists just now; try again.", { retryAfter: RETRY_AFTER });

/** Ends the connection of a reader who is too slow; also where the last of the answer is all that is missing. */
function cutSlow({ raw }: FastifyReply, { idle_ms, whole_ms }: ListBounds): void {
  raw.setTimeout(idle_ms, () => raw.destroy());
  const late = setTimeout(() => raw.destroy(), whole_ms);
  raw.once("close", () => clearTimeout(late));
}

/** Large lists: few readers at once, of each no more in memory than a page, and one page in the making. */
export class StreamedLists {
  readonly #bounds: ListBounds;
  readonly #readers: Places;
  readonly #making: Places;

  constructor(bounds: ListBounds = SHIPPED) {
    this.#bounds = bounds;
    this.#readers = new Places(bounds.readers, bounds.waiting);
    this.#making = new Places(1, bounds.readers);
  }

  /** Answers with a JSON array of what the pages hold, as fast as it is read. Throws `overloaded`, and what the first page throws. */
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

  /** Does what makes an answer in one piece, as one of the readers. Throws `overloaded`. */
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
