import type { Ctx } from "../../db/ctx.ts";
import { isUnavailable } from "../../db/failure.ts";
import { AwoooiError, messageOf } from "../../lib/error.ts";
import { insertReceipts } from "../store.ts";
import type { Receipt } from "../types.ts";

export type JournalLimits = {
  /** Most calls that may wait for a commit at once. */
  requests: number;
  /** Most bytes of their bodies. */
  bytes: number;
  /** Most receipts that are journalled but not processed yet. */
  receipts: number;
};

/** Called after every commit with the number of receipts that it wrote, and its duration in seconds. */
type OnCommit = (receipts: number, seconds: number) => void;

type Waiting = {
  receipt: Omit<Receipt, "seq">;
  resolve: (receipt: Receipt) => void;
  reject: (error: unknown) => void;
};

// Most rows and bytes of one insert, which is still quick at that size; further calls wait for the next commit.
const BATCH = { calls: 500, bytes: 8 * 1024 * 1024 };

// Fewer calls per commit are normal for a few senders. The journal counts as pressed for this long after a commit of at least so
// many: between two commits no call may be waiting for a moment, however many senders there are.
const PRESSED = { calls: 16, milliseconds: 50 };

/**
 * Journals receipts before their senders are answered. Calls that arrive while a commit is under way share the next one, so one
 * disk sync serves many of them.
 */
export class Journal {
  readonly #ctx: Ctx;
  readonly #limits: () => JournalLimits;
  readonly #backlog: () => number;
  readonly #onCommit: OnCommit;
  #waiting: Waiting[] = [];
  #bytes = 0;
  #writing: Promise<void> | null = null;
  #pressedAt = Number.NEGATIVE_INFINITY;

  /** `limits` is called for every receipt; `backlog` returns the number of receipts that are journalled but not processed yet. */
  constructor(ctx: Ctx, limits: () => JournalLimits, backlog: () => number, onCommit: OnCommit = () => {}) {
    this.#ctx = ctx;
    this.#limits = limits;
    this.#backlog = backlog;
    this.#onCommit = onCommit;
  }

  /**
   * Resolves when the receipt is committed. Rejects with `overloaded` beyond the limits and with `unavailable` while the database
   * cannot write: nothing is acknowledged, and the sender must try again.
   */
  async append(receipt: Omit<Receipt, "seq">): Promise<Receipt> {
    const { requests, bytes, receipts } = this.#limits();
    if (
      this.#waiting.length >= requests ||
      this.#bytes + receipt.body.length > bytes ||
      this.#backlog() >= receipts
    ) {
      throw new AwoooiError("overloaded", "Too many alerts are waiting; send this again.", { retryAfter: 2 });
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ receipt, resolve, reject });
      this.#bytes += receipt.body.length;
      this.#writing ??= this.#write();
    });
  }

  /** Returns how many calls wait for a commit now. */
  waiting(): number {
    return this.#waiting.length;
  }

  /** Returns whether so many calls are being journalled that all other work should give way. */
  pressed(): boolean {
    return performance.now() - this.#pressedAt < PRESSED.milliseconds;
  }

  /** Resolves when every appended receipt is committed or refused. */
  async idle(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }

  async #write(): Promise<void> {
    // Lets calls that arrived in the same turn of the event loop share the commit.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const batch = this.#next();
      const begun = performance.now();
      try {
        const written = await insertReceipts(
          this.#ctx,
          batch.map((one) => one.receipt),
        );
        const ended = performance.now();
        if (batch.length >= PRESSED.calls) this.#pressedAt = ended;
        this.#onCommit(batch.length, (ended - begun) / 1000);
        batch.forEach((one, index) => {
          const seq = written[index];
          if (seq === undefined) one.reject(new Error("the journal returned fewer rows than were written"));
          else one.resolve({ ...one.receipt, seq });
        });
      } catch (error) {
        this.#refuse(batch, error);
      }
      for (const one of batch) this.#bytes -= one.receipt.body.length;
    }
    this.#writing = null;
  }

  #next(): Waiting[] {
    let bytes = 0;
    const over = this.#waiting.findIndex(({ receipt }, index) => {
      bytes += receipt.body.length;
      return index === BATCH.calls || (index > 0 && bytes > BATCH.bytes);
    });
    return this.#waiting.splice(0, over < 0 ? this.#waiting.length : over);
  }

  #refuse(batch: readonly Waiting[], error: unknown): void {
    this.#ctx.log.error({ error: messageOf(error), calls: batch.length }, "the journal cannot be written");
    const refusal = isUnavailable(error)
      ? new AwoooiError("unavailable", "The journal cannot be written now; send this again.", {
          retryAfter: 5,
          cause: error,
        })
      : error;
    for (const one of batch) one.reject(refusal);
  }
}
