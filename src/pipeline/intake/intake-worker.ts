import type { WebhookAnswer } from "../../contract/webhook.ts";
import { type Receipt, waitingReceipts, waitingSummary } from "../../intake/index.ts";
import { messageOf } from "../../lib/error.ts";
import { wait } from "../../lib/wait.ts";
import type { PipelineDeps } from "../types.ts";
import { type Processing, receiptsInParts } from "./process-receipts.ts";
import { PartSize } from "./receipt-parts.ts";
import { type Entry, ReceiptQueues, type SenderBatch } from "./receipt-queues.ts";
import { ReceiptRetries } from "./receipt-retries.ts";

// With this many receipts waiting, a new sender is answered at once, before the outcome is known.
const WAITING = 8;
// While its sender waits, the parsed body is kept as well, for bodies up to this many bytes.
const PARSED = 64 * 1024;
// Bytes of bodies kept in memory; receipts beyond that wait in the journal alone.
const IN_HAND = 64 * 1024 * 1024;
// During a burst, receipts are only journalled (which is what senders wait for) for up to this long: well within the 30 s
// that a decision may take.
const BURST_MS = 5_000;
const GIVE_WAY_MS = 10;
// Receipts read per query for those that wait in the journal alone.
const LEFTOVERS = 200;
const RETRY_MS = 500;

/** Processes receipts of the journal into incidents, keeping the order of each sender. */
export class IntakeWorker {
  readonly #current: () => PipelineDeps;
  readonly #pressed: () => boolean;
  readonly #lookEvery: number;
  readonly #lanes = new ReceiptQueues<Processing>();
  readonly #trials: ReceiptRetries;
  readonly #sizes = { prompt: new PartSize(), fair: new PartSize() };
  /** Failed entries until it is decided whether they are retried: they still count as in hand. */
  readonly #failing = new Set<Entry>();
  /** Number of receipts in the journal alone. */
  #leftover = 0;
  /** More arrived than is kept in memory: new receipts wait behind those, in the journal. */
  #overflowing = false;
  /** Receipts up to this `seq` were already waiting at the last look: no live call will bring them. */
  #horizon = Number.POSITIVE_INFINITY;
  #horizonAt = 0;
  readonly #sleepers = new Set<AbortController>();
  #wakes = 0;
  #stop = new AbortController();
  #running: Promise<unknown> | null = null;

  /**
   * `current` returns the dependencies in force; `pressed` says whether many calls wait to be journalled. Every
   * `lookEvery` seconds the journal is searched for receipts without a live call: those of a killed process, and replayed
   * ones. A failed receipt is retried after `retry` milliseconds, with growing backoff.
   */
  constructor(
    current: () => PipelineDeps,
    pressed: () => boolean = () => false,
    lookEvery = 1,
    retry = RETRY_MS,
  ) {
    this.#current = current;
    this.#pressed = pressed;
    this.#lookEvery = lookEvery;
    this.#trials = new ReceiptRetries(current, retry);
  }

  get #deps(): PipelineDeps {
    return this.#current();
  }

  /** Returns the number of receipts journalled and not processed yet. */
  backlog(): number {
    return this.#lanes.size + this.#trials.parked + this.#leftover;
  }

  /**
   * Takes a receipt from a live call. Resolves to its outcome; null when many are waiting already, so that the outcome
   * will not be known soon. `json` is the parsed body, given only when it was read whole.
   */
  take(receipt: Receipt, json: unknown): Promise<WebhookAnswer | null> | null {
    const entry = entryOf(receipt, receipt.body.length > PARSED ? undefined : json);
    const prompt = this.#lanes.isPrompt(entry);
    // A sender with little under way still gets its outcome during other senders' burst.
    if (prompt ? this.#lanes.prompt >= WAITING : this.#lanes.fair >= WAITING || this.#pressed()) {
      this.add(receipt);
      return null;
    }
    if (!this.#holds(entry)) return null;
    return new Promise((respond) => {
      entry.respond = respond;
      this.#lanes.add(entry);
      this.#wake();
    });
  }

  /** Takes a receipt whose sender does not wait for the outcome. */
  add(receipt: Receipt): void {
    // The body is parsed when it is processed: queued objects would take ten times the memory of their bodies.
    const entry = entryOf(receipt, undefined);
    if (!this.#holds(entry)) return;
    this.#lanes.add(entry);
    this.#wake();
  }

  /** Returns whether the entry is kept in memory; otherwise it waits in the journal alone. */
  #holds(entry: Entry): boolean {
    // A sender with little under way does not wait behind senders with much.
    if (!this.#overflowing && this.#lanes.isPrompt(entry)) return true;
    this.#overflowing ||= this.#lanes.bytes + entry.receipt.body.length > IN_HAND;
    if (this.#overflowing && !this.#lanes.isPrompt(entry)) this.#leftover += 1;
    return !this.#overflowing || this.#lanes.isPrompt(entry);
  }

  /** Starts processing. Resolves once it is known which receipts an earlier process left: later ones belong to live calls. */
  async start(): Promise<void> {
    try {
      this.#horizon = (await waitingSummary(this.#deps.as("intake"))).last;
    } catch (error) {
      this.#log(error, "receipts that an earlier process left could not be read: trying again later");
    }
    this.#running = Promise.all([this.#servePrompt(), this.#serveFair(), this.#lookAround()]);
  }

  /** Stops after the receipts in hand; the rest waits in the journal. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake();
    await this.#running;
    for (const entry of this.#lanes.all()) entry.respond?.(null);
  }

  async #servePrompt(): Promise<void> {
    await this.#serve(async () => {
      const entries = this.#lanes.takePrompt();
      if (entries.length === 0) return false;
      const later = new Set<number>();
      const work = this.#begin(entries, this.#sizes.prompt, later);
      let failure: unknown;
      try {
        for (let step = await work.next(); ; step = await work.next()) {
          if (!step.done) continue;
          respondAll(
            entries.filter(({ receipt }) => !later.has(receipt.seq)),
            step.value,
          );
          break;
        }
      } catch (error) {
        failure = error ?? new Error("it failed");
        later.clear();
      }
      this.#lanes.endPrompt(
        entries,
        entries.filter(({ receipt }) => later.has(receipt.seq)),
      );
      this.#wake();
      if (failure !== undefined) await this.#failed(entries, failure);
      return true;
    });
  }

  /** Processes large or numerous receipts part by part, senders taking turns: none waits for more than one part of another. */
  async #serveFair(): Promise<void> {
    await this.#serve(async () => {
      await this.#supersedeForMerge();
      const batch = this.#lanes.takeFair((entries) => this.#begin(entries, this.#sizes.fair));
      if (batch === undefined) return false;
      try {
        const step = await batch.work.next();
        if (!step.done) return true;
        respondAll(batch.entries, step.value);
      } catch (error) {
        this.#endFair(batch);
        await this.#failed(batch.entries, error);
        return true;
      }
      this.#endFair(batch);
      return true;
    });
  }

  #endFair(batch: SenderBatch<Processing>): void {
    this.#lanes.endFair(batch);
    this.#wake();
  }

  /** Runs `one` in a loop, sleeping while it returns false. Logs an error that it throws, and goes on. */
  async #serve(one: () => Promise<boolean>): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        const seen = this.#wakes;
        if (!(await one())) await this.#sleep(this.#trials.soonest(), seen);
      } catch (error) {
        this.#log(error, "receipts cannot be processed now: they wait");
        await wait(RETRY_MS, signal);
      }
      this.#line(this.#trials.due());
    }
  }

  /** Processes receipts together. For those tried before, the new attempt is counted before it is made. */
  async *#begin(entries: readonly Entry[], size: PartSize, later?: Set<number>): Processing {
    const ours = await this.#trials.begin(entries);
    for (const entry of entries) if (!ours.includes(entry)) entry.respond?.(null);
    const ctx = this.#deps.as("intake");
    return yield* receiptsInParts(ctx, this.#deps, this.#trials.deliveries(ours), {
      ...this.#trials.terms(ours, size),
      later,
    });
  }

  /**
   * Handles the failure of receipts that were processed together: each is retried, alone or with others, or becomes a dead
   * letter.
   */
  async #failed(entries: readonly Entry[], error: unknown): Promise<void> {
    for (const entry of entries) {
      entry.respond?.(null);
      entry.respond = null;
      entry.json = undefined;
    }
    if (!(await this.#lineAgain(entries, error))) return;
    this.#log(error, "receipts cannot be processed now: they wait");
    await wait(RETRY_MS, this.#stop.signal);
  }

  /** Queues the receipts that are retried. Returns true when they failed because no receipt can be processed now. */
  async #lineAgain(entries: readonly Entry[], error: unknown): Promise<boolean> {
    for (const entry of entries) this.#failing.add(entry);
    try {
      const again = await this.#trials.failed(entries, error);
      this.#line(again.entries);
      return again.away;
    } finally {
      for (const entry of entries) this.#failing.delete(entry);
    }
  }

  /**
   * Waits until a burst is journalled, for `BURST_MS` at most. Senders that wait for an outcome are answered first,
   * without it.
   */
  async #supersedeForMerge(): Promise<void> {
    if (!this.#pressed()) return;
    let oldest = performance.now();
    for (const entry of this.#lanes.waiting()) {
      entry.respond?.(null);
      entry.respond = null;
      oldest = Math.min(oldest, entry.since);
    }
    const until = oldest + BURST_MS;
    while (this.#pressed() && performance.now() < until && !this.#stop.signal.aborted)
      await wait(GIVE_WAY_MS);
  }

  /** Sleeps until the time is over, or until a wake-up later than the `seen`-th. */
  async #sleep(milliseconds: number, seen: number): Promise<void> {
    if (this.#wakes !== seen || this.#stop.signal.aborted) return;
    const sleeper = new AbortController();
    this.#sleepers.add(sleeper);
    await wait(Math.max(milliseconds, 1), sleeper.signal);
    this.#sleepers.delete(sleeper);
  }

  #line(entries: readonly Entry[]): void {
    for (const entry of entries) this.#lanes.add(entry);
    if (entries.length > 0) this.#wake();
  }

  #wake(): void {
    this.#wakes += 1;
    for (const sleeper of this.#sleepers) sleeper.abort();
  }

  async #lookAround(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      let more = false;
      try {
        more = await this.#takeLeftovers();
      } catch (error) {
        this.#log(error, "the receipts waiting in the journal cannot be read now");
      }
      const until = performance.now() + this.#lookEvery * 1000;
      for (let left = 1; left > 0 && !signal.aborted; left = until - performance.now()) {
        const seen = this.#wakes;
        // Where more receipts wait, they are taken up as soon as there is room.
        if (more && this.#lanes.bytes < IN_HAND / 2 && this.#lanes.fair + this.#lanes.prompt < LEFTOVERS)
          break;
        await this.#sleep(until - performance.now(), seen);
      }
    }
  }

  /** Queues receipts that wait in the journal alone. Returns whether there are more. */
  async #takeLeftovers(): Promise<boolean> {
    const ctx = this.#deps.as("intake");
    const { count, last } = await waitingSummary(ctx);
    const horizon = Math.min(this.#horizon, Number.MAX_SAFE_INTEGER);
    if (performance.now() >= this.#horizonAt) {
      this.#horizon = last;
      this.#horizonAt = performance.now() + this.#lookEvery * 1000;
    }
    const inHand = new Set(
      [...this.#lanes.all(), ...this.#trials.all(), ...this.#failing].map((one) => one.receipt.seq),
    );
    this.#leftover = Math.max(0, count - inHand.size);
    this.#overflowing &&= this.#leftover > 0;
    for (let after = 0; this.#leftover > 0; ) {
      const rows = await waitingReceipts(ctx, horizon, LEFTOVERS, after);
      const left = rows.filter((row) => !inHand.has(row.seq));
      after = rows.at(-1)?.seq ?? 0;
      if (rows.length === 0) return false;
      if (left.length === 0) continue;
      ctx.log.debug({ receipts: left.length }, "taking up receipts that wait in the journal");
      for (const { tries, ...receipt } of left)
        this.#lanes.add({ ...entryOf(receipt, undefined), again: true, tries, alone: tries > 1 });
      this.#leftover = Math.max(0, this.#leftover - left.length);
      this.#wake();
      return this.#leftover > 0;
    }
    return false;
  }

  #log(error: unknown, text: string): void {
    this.#deps.as("intake").log.error({ error: messageOf(error) }, text);
  }
}

const entryOf = (receipt: Receipt, json: unknown): Entry => ({
  receipt,
  json,
  respond: null,
  since: performance.now(),
  again: false,
  tries: 1,
  alone: false,
});

function respondAll(entries: readonly Entry[], answers: ReadonlyMap<number, WebhookAnswer>): void {
  for (const entry of entries) entry.respond?.(answers.get(entry.receipt.seq) ?? null);
}
