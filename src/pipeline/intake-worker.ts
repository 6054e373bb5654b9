import type { WebhookAnswer } from "../contract/webhook.ts";
import { isUnavailable } from "../db/failure.ts";
import { finishReceipts, type Receipt, waitingReceipts, waitingSummary } from "../intake/index.ts";
import { messageOf } from "../lib/error.ts";
import { logAbout } from "../lib/log.ts";
import { redactText } from "../lib/redact.ts";
import { wait } from "../lib/wait.ts";
import { type Delivery, processReceipts } from "./receive.ts";
import type { Journey } from "./types.ts";

type Entry = Delivery & { settle: (answer: WebhookAnswer | null) => void };

// Receipts of one transaction: enough to share its cost, few enough to answer their senders soon.
const BATCH = 100;
// How often receipts are looked for that no live call waits for: those of a process that was killed.
const LOOK_AROUND_MS = 1_000;
const RETRY_MS = 500;
// Tries of a batch before a database that answers otherwise is believed to be well, and the batch to be not.
const TRIES = 5;

/** Brings receipts from the journal to their incidents, one batch after the other. */
export class IntakeWorker {
  readonly #journey: Journey;
  #queue: Entry[] = [];
  #leftover = 0;
  /** Receipts up to here were waiting at the last look already: no live call is about to bring them. */
  #horizon = Number.POSITIVE_INFINITY;
  /** Failures in a row for which the database was made answerable. */
  #failures = 0;
  #wake: () => void = () => {};
  #stop = new AbortController();
  #running: Promise<void> | null = null;

  constructor(journey: Journey) {
    this.#journey = journey;
  }

  /** Receipts that are in the journal and not understood yet. */
  backlog(): number {
    return this.#queue.length + this.#leftover;
  }

  /** Resolves to the sender's answer when the receipt has been understood; null when that must wait. */
  take(receipt: Receipt, body: unknown): Promise<WebhookAnswer | null> {
    return new Promise((settle) => {
      this.#queue.push({ receipt, body, settle });
      this.#wake();
    });
  }

  /** Begins. Resolves when it is known what an earlier process has left: what comes later is a live call's. */
  async start(): Promise<void> {
    try {
      this.#horizon = (await waitingSummary(this.#journey.as("intake"))).last;
    } catch (error) {
      this.#log(error, "what an earlier process has left is looked for later");
    }
    this.#running = this.#run();
  }

  /** Ends after the batch in hand; what is left waits in the journal. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake();
    await this.#running;
    for (const entry of this.#queue.splice(0)) entry.settle(null);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    let lookAt = 0;
    while (!signal.aborted) {
      try {
        if (this.#queue.length > 0) await this.#process(this.#queue.splice(0, BATCH));
        if (performance.now() >= lookAt) {
          await this.#takeLeftovers();
          lookAt = performance.now() + LOOK_AROUND_MS;
        }
      } catch (error) {
        this.#log(error, "receipts wait: they cannot be processed now");
        await wait(RETRY_MS, signal);
      }
      if (this.#queue.length === 0) await this.#idle(lookAt - performance.now());
    }
  }

  /** Waits for the next call, at most until it is time to look around. */
  async #idle(milliseconds: number): Promise<void> {
    const slept = new AbortController();
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    if (this.#queue.length > 0 || this.#stop.signal.aborted) return;
    await Promise.race([woken, wait(Math.max(milliseconds, 1), slept.signal)]);
    slept.abort();
  }

  async #takeLeftovers(): Promise<void> {
    const ctx = this.#journey.as("intake");
    const { count, last } = await waitingSummary(ctx);
    const horizon = this.#horizon;
    this.#horizon = last;
    this.#leftover = Math.max(0, count - this.#queue.length);
    while (!this.#stop.signal.aborted && this.#leftover > 0) {
      const inHand = new Set(this.#queue.map((entry) => entry.receipt.seq));
      const rows = await waitingReceipts(ctx, Math.min(horizon, Number.MAX_SAFE_INTEGER), BATCH);
      const left = rows.filter((row) => !inHand.has(row.seq));
      if (left.length === 0) return;
      ctx.log.info({ receipts: left.length }, "taking up receipts that were left waiting");
      await this.#process(left.map((receipt) => ({ receipt, body: parse(receipt.body), settle: () => {} })));
      this.#leftover = Math.max(0, this.#leftover - left.length);
      // Who calls now does not wait for all that was left.
      if (this.#queue.length > 0) await this.#process(this.#queue.splice(0, BATCH));
    }
  }

  async #process(batch: Entry[]): Promise<void> {
    const ctx = this.#journey.as("intake");
    try {
      const answers = await processReceipts(ctx, this.#journey, batch);
      for (const entry of batch) entry.settle(answers.get(entry.receipt.seq) ?? null);
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      if (isUnavailable(error) && !(await this.#databaseIsWell())) {
        // They are safe in the journal and are found there when the database is back.
        this.#leftover += batch.length;
        for (const entry of batch) entry.settle(null);
        throw error;
      }
      await this.#isolate(batch, error);
    }
  }

  /** A time-out may be the batch's own doing: it must not keep all others waiting for ever. */
  async #databaseIsWell(): Promise<boolean> {
    if (this.#failures < TRIES) return false;
    return waitingSummary(this.#journey.as("intake")).then(
      () => true,
      () => false,
    );
  }

  /** Something in the batch cannot be processed: each receipt alone, so that one bad one harms no other. */
  async #isolate(batch: readonly Entry[], error: unknown): Promise<void> {
    const [only, ...others] = batch;
    if (only === undefined) return;
    if (others.length > 0) {
      for (const entry of batch) await this.#process([entry]);
      return;
    }
    const { seq, source } = only.receipt;
    logAbout({ receipt: seq }, () =>
      this.#log(error, "a receipt cannot be processed: it is kept as a dead letter"),
    );
    const ctx = this.#journey.as("intake");
    const text = redactText(messageOf(error)).slice(0, 2_000);
    await finishReceipts(ctx, [{ seq, alert_count: 0, error: text }]);
    this.#journey.onReceived({ source, alerts: [], error: text });
    only.settle(null);
  }

  #log(error: unknown, text: string): void {
    this.#journey.as("intake").log.error({ error: messageOf(error) }, text);
  }
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}
