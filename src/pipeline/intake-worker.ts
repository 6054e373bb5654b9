import type { WebhookAnswer } from "../contract/webhook.ts";
import { isUnavailable } from "../db/failure.ts";
import { finishReceipts, type Receipt, waitingReceipts, waitingSummary } from "../intake/index.ts";
import { clip } from "../lib/clip.ts";
import { messageOf } from "../lib/error.ts";
import { parseJson } from "../lib/json-text.ts";
import { logAbout } from "../lib/log.ts";
import { redactText } from "../lib/redact.ts";
import { wait } from "../lib/wait.ts";
import { type Delivery, processReceipts } from "./receive.ts";
import type { Journey } from "./types.ts";

type Entry = {
  receipt: Receipt;
  json: unknown;
  settle: ((answer: WebhookAnswer | null) => void) | null;
  /** When it was taken, by the process's own clock. */
  since: number;
};

// What one transaction takes: enough to share its cost, few enough to answer the senders soon.
const BATCH = { receipts: 1_000, bytes: 1024 * 1024 };
// Senders that come while so many are in hand are not kept waiting: what comes of it follows.
const WAITING = 8;
// Bytes of bodies that are kept in memory; what comes beyond waits in the journal alone.
const IN_HAND = 64 * 1024 * 1024;
// For so long a burst is only written down, which is what its senders wait for: well within the 30 s that
// a decision may take.
const BURST_MS = 5_000;
const GIVE_WAY_MS = 10;
// Receipts of one look at what waits in the journal alone.
const LEFTOVERS = 200;
const RETRY_MS = 500;
// Tries of a batch before a database that answers otherwise is believed to be well, and the batch to be not.
const TRIES = 5;

/** Brings receipts from the journal to their incidents, one batch after the other. */
export class IntakeWorker {
  readonly #current: () => Journey;
  readonly #pressed: () => boolean;
  readonly #lookEvery: number;
  #queue: Entry[] = [];
  #bytes = 0;
  #leftover = 0;
  /** More came than is kept in memory: what comes now waits behind it, in the journal. */
  #overflowing = false;
  /** Receipts up to here were waiting at the last look already: no live call is about to bring them. */
  #horizon = Number.POSITIVE_INFINITY;
  /** Failures in a row for which the database was made answerable. */
  #failures = 0;
  #wake: () => void = () => {};
  #stop = new AbortController();
  #running: Promise<void> | null = null;

  /**
   * `current` gives what is in force; `pressed` says whether many calls wait to be written down. Every
   * `lookEvery` seconds receipts are looked for that no live call waits for: those of a process that was
   * killed, and replayed ones.
   */
  constructor(current: () => Journey, pressed: () => boolean = () => false, lookEvery = 1) {
    this.#current = current;
    this.#pressed = pressed;
    this.#lookEvery = lookEvery;
  }

  get #journey(): Journey {
    return this.#current();
  }

  /** Receipts that are in the journal and not understood yet. */
  backlog(): number {
    return this.#queue.length + this.#leftover;
  }

  /**
   * Takes a receipt from a live call: what came of it, when it is known; null when that is not soon, because
   * many are waiting already.
   */
  take(receipt: Receipt, json: unknown): Promise<WebhookAnswer | null> | null {
    if (this.#queue.length >= WAITING || this.#pressed()) {
      this.add(receipt);
      return null;
    }
    if (!this.#holds(receipt)) return null;
    return new Promise((settle) => {
      this.#queue.push({ receipt, json, settle, since: performance.now() });
      this.#wake();
    });
  }

  /** Takes a receipt whose sender does not wait for what comes of it. */
  add(receipt: Receipt): void {
    if (!this.#holds(receipt)) return;
    // Parsed again when its turn comes: a long queue of objects would cost ten times its bodies.
    this.#queue.push({ receipt, json: undefined, settle: null, since: performance.now() });
    this.#wake();
  }

  /** Whether there is room for it in memory: else it waits in the journal alone. */
  #holds(receipt: Receipt): boolean {
    this.#overflowing ||= this.#bytes + receipt.body.length > IN_HAND;
    if (this.#overflowing) this.#leftover += 1;
    else this.#bytes += receipt.body.length;
    return !this.#overflowing;
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
    for (const entry of this.#queue.splice(0)) entry.settle?.(null);
  }

  /** The oldest of the queue, as many as one transaction takes. */
  #batch(): Entry[] {
    let bytes = 0;
    let end = 0;
    for (const { receipt } of this.#queue) {
      bytes += receipt.body.length;
      if (end === BATCH.receipts || (end > 0 && bytes > BATCH.bytes)) break;
      end += 1;
    }
    const batch = this.#queue.splice(0, end);
    for (const { receipt } of batch) this.#bytes -= receipt.body.length;
    return batch;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    let lookAt = 0;
    while (!signal.aborted) {
      try {
        if (this.#queue.length > 0) {
          await this.#giveWay();
          await this.#process(this.#batch());
        }
        if (performance.now() >= lookAt || (this.#overflowing && this.#queue.length === 0)) {
          await this.#takeLeftovers();
          lookAt = performance.now() + this.#lookEvery * 1000;
        }
      } catch (error) {
        this.#log(error, "receipts wait: they cannot be processed now");
        await wait(RETRY_MS, signal);
      }
      if (this.#queue.length === 0) await this.#idle(lookAt - performance.now());
    }
  }

  /** Lets a burst be written down first. Who waits for an answer does not wait for that. */
  async #giveWay(): Promise<void> {
    if (!this.#pressed()) return;
    for (const entry of this.#queue) {
      entry.settle?.(null);
      entry.settle = null;
    }
    const until = (this.#queue[0]?.since ?? 0) + BURST_MS;
    while (this.#pressed() && performance.now() < until && !this.#stop.signal.aborted)
      await wait(GIVE_WAY_MS);
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
    this.#overflowing &&= this.#leftover > 0;
    while (!this.#stop.signal.aborted && this.#leftover > 0) {
      const inHand = new Set(this.#queue.map((entry) => entry.receipt.seq));
      const rows = await waitingReceipts(ctx, Math.min(horizon, Number.MAX_SAFE_INTEGER), LEFTOVERS);
      const left = rows.filter((row) => !inHand.has(row.seq));
      if (left.length === 0) return;
      ctx.log.debug({ receipts: left.length }, "taking up receipts that wait in the journal");
      await this.#process(left.map((receipt) => ({ receipt, json: undefined, settle: null, since: 0 })));
      this.#leftover = Math.max(0, this.#leftover - left.length);
      // Who calls now does not wait for all that was left.
      if (this.#queue.length > 0) await this.#process(this.#batch());
    }
  }

  async #process(batch: Entry[]): Promise<void> {
    const ctx = this.#journey.as("intake");
    try {
      const answers = await processReceipts(ctx, this.#journey, batch.map(deliveryOf));
      for (const entry of batch) entry.settle?.(answers.get(entry.receipt.seq) ?? null);
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      if (isUnavailable(error) && !(await this.#databaseIsWell())) {
        // They are safe in the journal and are found there when the database is back.
        this.#leftover += batch.length;
        for (const entry of batch) entry.settle?.(null);
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

  /** Something in the batch cannot be processed: halves of it, until the bad one is alone and harms no other. */
  async #isolate(batch: Entry[], error: unknown): Promise<void> {
    const [only, ...others] = batch;
    if (only === undefined) return;
    if (others.length > 0) {
      const half = batch.length >> 1;
      await this.#process(batch.slice(0, half));
      await this.#process(batch.slice(half));
      return;
    }
    const { seq, source, sender, body, replays = 0 } = only.receipt;
    logAbout({ receipt: seq }, () =>
      this.#log(error, "a receipt cannot be processed: it is kept as a dead letter"),
    );
    const ctx = this.#journey.as("intake");
    const text = clip(redactText(messageOf(error)), 2_000);
    await finishReceipts(ctx, [{ seq, alert_count: 0, error: text }]);
    const about = { seq, source, sender, bytes: body.length, replayed: replays > 0 };
    this.#journey.onReceived({ ...about, alerts: [], error: text });
    only.settle?.(null);
  }

  #log(error: unknown, text: string): void {
    this.#journey.as("intake").log.error({ error: messageOf(error) }, text);
  }
}

function deliveryOf({ receipt, json, settle }: Entry): Delivery {
  return { receipt, body: json === undefined ? parse(receipt.body) : json, unattended: settle === null };
}

function parse(body: Buffer): unknown {
  try {
    return parseJson(body);
  } catch {
    return undefined;
  }
}
