import { bringEntries, type SignalEntry, type SignalStream } from "../../intake/index.ts";
import { messageOf } from "../../lib/error.ts";
import { wait } from "../../lib/wait.ts";
import type { PipelineDeps } from "../types.ts";
import type { IntakeWorker } from "./intake-worker.ts";

const CLAIM_EVERY_MS = 1_000;
const RETRY_MS = 500;

/**
 * Moves signals from their stream into the journal, where the intake worker processes them. An entry is acknowledged after
 * its receipt is committed under a unique name. After a crash in between it is read again and deduplicated.
 */
export class SignalWorker {
  readonly #current: () => PipelineDeps;
  readonly #stream: SignalStream;
  readonly #intake: Pick<IntakeWorker, "add" | "backlog">;
  /** Limit of receipts that wait in the journal; beyond it, signals stay on their stream. */
  readonly #limit: () => number;
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #claimAt = 0;

  constructor(
    current: () => PipelineDeps,
    stream: SignalStream,
    intake: Pick<IntakeWorker, "add" | "backlog">,
    limit: () => number,
  ) {
    this.#current = current;
    this.#stream = stream;
    this.#intake = intake;
    this.#limit = limit;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Stops after the entries in hand, or at once while they cannot be written: they stay on the stream. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    let inHand: SignalEntry[] = [];
    let failing = false;
    while (!signal.aborted) {
      try {
        if (inHand.length === 0) inHand = await this.#next();
        if (inHand.length > 0) await this.#bring(inHand);
        inHand = [];
        failing = false;
      } catch (error) {
        // Logged once per run of consecutive failures.
        if (!failing) this.#log(error);
        failing = true;
        await wait(RETRY_MS, signal);
      }
    }
  }

  async #next(): Promise<SignalEntry[]> {
    if (this.#intake.backlog() >= this.#limit()) {
      await wait(RETRY_MS, this.#stop.signal);
      return [];
    }
    if (performance.now() >= this.#claimAt) {
      const left = await this.#stream.claim();
      // The claim returned entries, so there may be more.
      if (left.length > 0) return left;
      this.#claimAt = performance.now() + CLAIM_EVERY_MS;
    }
    return this.#stream.read();
  }

  async #bring(entries: readonly SignalEntry[]): Promise<void> {
    for (const receipt of await bringEntries(this.#current().as("intake"), entries))
      this.#intake.add(receipt);
    await this.#stream.ack(entries.map((entry) => entry.id));
  }

  #log(error: unknown): void {
    this.#current()
      .as("intake")
      .log.warn({ error: messageOf(error) }, "signals wait on their stream");
  }
}
