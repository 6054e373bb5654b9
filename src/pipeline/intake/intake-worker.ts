import type { WebhookAnswer } from "../../contract/webhook.ts";
import { type Receipt, waitingReceipts, waitingSummary } from "../../intake/index.ts";
import { messageOf } from "../../lib/error.ts";
import { wait } from "../../lib/wait.ts";
import type { PipelineDeps } from "../types.ts";
import { type Entry, Lanes, type Turn } from "./lanes.ts";
import { PartSize } from "./parts.ts";
import { type Processing, receiptsInParts } from "./process-receipts.ts";
import { Trials } from "./trials.ts";

// Senders that come while so many are in hand are not kept waiting: what comes of it follows.
const WAITING = 8;
// Of one whose sender waits the parsed body is kept as well, up to so many bytes of it.
const PARSED = 64 * 1024;
// Bytes of bodies that are kept in memory; what comes beyond waits in the journal alone.
const IN_HAND = 64 * 1024 * 1024;
// For so long a burst is only written down, which is what its senders wait for: well within the 30 s that
// a decision may take.
const BURST_MS = 5_000;
const GIVE_WAY_MS = 10;
// Receipts of one look at what waits in the journal alone.
const LEFTOVERS = 200;
const RETRY_MS = 500;

/** Brings receipts from the journal to their incidents, those of one sender in their order. */
export class IntakeWorker {
  readonly #current: () => PipelineDeps;
  readonly #pressed: () => boolean;
  readonly #lookEvery: number;
  readonly #lanes = new Lanes<Processing>();
  readonly #trials: Trials;
  readonly #sizes = { prompt: new PartSize(), inTurn: new PartSize() };
  /** What has failed, until it is known what becomes of it: it is in hand still. */
  readonly #failing = new Set<Entry>();
  /** Receipts in the journal alone. */
  #leftover = 0;
  /** More came than is kept in memory: what comes now waits behind it, in the journal. */
  #overflowing = false;
  /** Receipts up to here were waiting at the last look already: no live call is about to bring them. */
  #horizon = Number.POSITIVE_INFINITY;
  #horizonAt = 0;
  readonly #sleepers = new Set<AbortController>();
  #wakes = 0;
  #stop = new AbortController();
  #running: Promise<unknown> | null = null;

  /**
   * `current` gives what is in force; `pressed` says whether many calls wait to be written down. Every
   * `lookEvery` seconds receipts are looked for that no live call waits for: those of a process that was
   * killed, and replayed ones. A receipt that fails is tried again after `retry` milliseconds, then after longer.
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
    this.#trials = new Trials(current, retry);
  }

  get #deps(): PipelineDeps {
    return this.#current();
  }

  /** Receipts that are in the journal and not understood yet. */
  backlog(): number {
    return this.#lanes.size + this.#trials.parked + this.#leftover;
  }

  /**
   * Takes a receipt from a live call: what came of it, when it is known; null when that is not soon, because
   * many are waiting already. `json` is its body where that was read whole.
   */
  take(receipt: Receipt, json: unknown): Promise<WebhookAnswer | null> | null {
    const entry = entryOf(receipt, receipt.body.length > PARSED ? undefined : json);
    const prompt = this.#lanes.isPrompt(entry);
    // In a burst of others who sends little still hears what becomes of it.
    if (prompt ? this.#lanes.prompt >= WAITING : this.#lanes.inTurn >= WAITING || this.#pressed()) {
      this.add(receipt);
      return null;
    }
    if (!this.#holds(entry)) return null;
    return new Promise((settle) => {
      entry.settle = settle;
      this.#lanes.add(entry);
      this.#wake();
    });
  }

  /** Takes a receipt whose sender does not wait for what comes of it. */
  add(receipt: Receipt): void {
    // Parsed again when its turn comes: a long queue of objects would cost ten times its bodies.
    const entry = entryOf(receipt, undefined);
    if (!this.#holds(entry)) return;
    this.#lanes.add(entry);
    this.#wake();
  }

  /** Whether there is room for it in memory: else it waits in the journal alone. */
  #holds(entry: Entry): boolean {
    // Who sends little does not wait behind who sends much.
    if (!this.#overflowing && this.#lanes.isPrompt(entry)) return true;
    this.#overflowing ||= this.#lanes.bytes + entry.receipt.body.length > IN_HAND;
    if (this.#overflowing && !this.#lanes.isPrompt(entry)) this.#leftover += 1;
    return !this.#overflowing || this.#lanes.isPrompt(entry);
  }

  /** Begins. Resolves when it is known what an earlier process has left: what comes later is a live call's. */
  async start(): Promise<void> {
    try {
      this.#horizon = (await waitingSummary(this.#deps.as("intake"))).last;
    } catch (error) {
      this.#log(error, "what an earlier process has left is looked for later");
    }
    this.#running = Promise.all([this.#servePrompt(), this.#serveInTurn(), this.#lookAround()]);
  }

  /** Ends after what is in hand; what is left waits in the journal. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake();
    await this.#running;
    for (const entry of this.#lanes.all()) entry.settle?.(null);
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
          settleAll(
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

  /** Those that are many or much, by parts: whoever's turn is next waits for no more than one. */
  async #serveInTurn(): Promise<void> {
    await this.#serve(async () => {
      await this.#supersedeForMerge();
      const turn = this.#lanes.takeTurn((entries) => this.#begin(entries, this.#sizes.inTurn));
      if (turn === undefined) return false;
      try {
        const step = await turn.work.next();
        if (!step.done) return true;
        settleAll(turn.entries, step.value);
      } catch (error) {
        this.#endTurn(turn);
        await this.#failed(turn.entries, error);
        return true;
      }
      this.#endTurn(turn);
      return true;
    });
  }

  #endTurn(turn: Turn<Processing>): void {
    this.#lanes.endTurn(turn);
    this.#wake();
  }

  /** Has `one` done again and again, waiting where there is nothing to do. Failures of its own are told. */
  async #serve(one: () => Promise<boolean>): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        const seen = this.#wakes;
        if (!(await one())) await this.#sleep(this.#trials.soonest(), seen);
      } catch (error) {
        this.#log(error, "receipts wait: they cannot be processed now");
        await wait(RETRY_MS, signal);
      }
      this.#line(this.#trials.due());
    }
  }

  /** The work on receipts that are taken together. Those that were tried before are counted before they are tried. */
  async *#begin(entries: readonly Entry[], size: PartSize, later?: Set<number>): Processing {
    const ours = await this.#trials.begin(entries);
    for (const entry of entries) if (!ours.includes(entry)) entry.settle?.(null);
    const ctx = this.#deps.as("intake");
    return yield* receiptsInParts(ctx, this.#deps, this.#trials.deliveries(ours), {
      ...this.#trials.terms(ours, size),
      later,
    });
  }

  /** They are tried again, by themselves or as they are, or are dead letters. */
  async #failed(entries: readonly Entry[], error: unknown): Promise<void> {
    for (const entry of entries) {
      entry.settle?.(null);
      entry.settle = null;
      entry.json = undefined;
    }
    if (!(await this.#lineAgain(entries, error))) return;
    this.#log(error, "receipts wait: they cannot be processed now");
    await wait(RETRY_MS, this.#stop.signal);
  }

  /** Lines up those that are tried again; whether all of them failed because nothing can be taken in now. */
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

  /** Lets a burst be written down first. Who waits for an answer does not wait for that. */
  async #supersedeForMerge(): Promise<void> {
    if (!this.#pressed()) return;
    let oldest = performance.now();
    for (const entry of this.#lanes.waiting()) {
      entry.settle?.(null);
      entry.settle = null;
      oldest = Math.min(oldest, entry.since);
    }
    const until = oldest + BURST_MS;
    while (this.#pressed() && performance.now() < until && !this.#stop.signal.aborted)
      await wait(GIVE_WAY_MS);
  }

  /** Until something has come since `seen` wakes, or the time is over. */
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
        this.#log(error, "what waits in the journal cannot be looked for now");
      }
      const until = performance.now() + this.#lookEvery * 1000;
      for (let left = 1; left > 0 && !signal.aborted; left = until - performance.now()) {
        const seen = this.#wakes;
        // Where there is more it is taken up as soon as there is room.
        if (more && this.#lanes.bytes < IN_HAND / 2 && this.#lanes.inTurn + this.#lanes.prompt < LEFTOVERS)
          break;
        await this.#sleep(until - performance.now(), seen);
      }
    }
  }

  /** Takes up what waits in the journal alone; whether there is more of it. */
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
  settle: null,
  since: performance.now(),
  again: false,
  tries: 1,
  alone: false,
});

function settleAll(entries: readonly Entry[], answers: ReadonlyMap<number, WebhookAnswer>): void {
  for (const entry of entries) entry.settle?.(answers.get(entry.receipt.seq) ?? null);
}
