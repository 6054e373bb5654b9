import type { Ctx } from "../db/ctx.ts";
import { isUnavailable } from "../db/failure.ts";
import { AwoooiError, messageOf } from "../lib/error.ts";
import { insertReceipts } from "./store.ts";
import type { Receipt } from "./types.ts";

export type JournalLimits = {
  /** Calls that wait for a commit at once. */
  requests: number;
  /** Bytes that these may hold. */
  bytes: number;
  /** Receipts that are written but not understood yet. */
  receipts: number;
};

/** Told of every commit: how many receipts it wrote, and in how many seconds. */
type OnCommit = (receipts: number, seconds: number) => void;

type Waiting = {
  receipt: Omit<Receipt, "seq">;
  resolve: (receipt: Receipt) => void;
  reject: (error: unknown) => void;
};

// One insert of so many rows and bytes is still quick; more wait for the next commit.
const BATCH = { calls: 500, bytes: 8 * 1024 * 1024 };

// Fewer calls in a commit than this is what a few senders have under way at any moment. It counts for so long:
// between two commits nobody waits for a moment, however many are sending.
const PRESSED = { calls: 16, milliseconds: 50 };

/**
 * Writes receipts down before their senders are answered. Calls that come while a commit is under way
 * share the next one, so the disk is asked once for many of them.
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

  /** `limits` are asked for at every call; `backlog` counts the receipts that are written but not understood yet. */
  constructor(ctx: Ctx, limits: () => JournalLimits, backlog: () => number, onCommit: OnCommit = () => {}) {
    this.#ctx = ctx;
    this.#limits = limits;
    this.#backlog = backlog;
    this.#onCommit = onCommit;
  }

  /**
   * Resolves when the receipt is committed. Rejects with `overloaded` past the bounds and with
   * `unavailable` while the database cannot write: the sender must try again, nothing is acknowledged.
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

  /** Calls that wait for a commit now. */
  waiting(): number {
    return this.#waiting.length;
  }

  /** Whether so many calls come to be written down that everything else should give way. */
  pressed(): boolean {
    return performance.now() - this.#pressedAt < PRESSED.milliseconds;
  }

  /** Resolves when everything that was appended is committed or refused. */
  async idle(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }

  async #write(): Promise<void> {
    // Lets the calls that arrived in the same turn of the event loop into the same commit.
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
