import { record } from "../audit/index.ts";
import type { PruneRun } from "../contract/storage.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { messageOf } from "../lib/error.ts";
import { wait } from "../lib/wait.ts";
import { type Counts, countPrunable, prune, type RetentionTerms } from "../pipeline/index.ts";

// While more than BUSY_RECEIPTS receipts wait to be processed, retention pauses, but for at most MOST_PATIENCE
// seconds before each transaction: a disk that fills up is worse than a slow minute.
const BUSY_RECEIPTS = 100;
const MOST_PATIENCE = 60;
const LONGEST_PAUSE_MS = 1_000;

/** Deletes rows whose retention time is over: one run at a time, with pauses so that other work is not delayed. */
export class Retention {
  readonly #ctx: Ctx;
  readonly #terms: RetentionTerms;
  readonly #backlog: () => number;
  readonly #stop = new AbortController();
  #running: Promise<PruneRun> | null = null;
  #last: PruneRun | null = null;

  constructor(ctx: Ctx, terms: RetentionTerms, backlog: () => number) {
    this.#ctx = ctx;
    this.#terms = terms;
    this.#backlog = backlog;
  }

  /** The latest run of this process, which may still be in progress. */
  get last(): PruneRun | null {
    return this.#last;
  }

  /** Starts a run, or joins the one in progress. Rejects when the database fails. */
  run(asked_by: string | null = null): Promise<PruneRun> {
    this.#running ??= this.#run(asked_by).finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** Counts what a run would delete now. */
  preview(): Promise<Counts> {
    return countPrunable(this.#ctx, this.#terms);
  }

  /** Stops a run after its current transaction. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running?.catch(() => {});
  }

  async #run(asked_by: string | null): Promise<PruneRun> {
    const begun = performance.now();
    const deleted: Counts = {};
    const run: PruneRun = {
      started_at: this.#ctx.clock.now().toISOString(),
      took_ms: 0,
      finished: false,
      deleted,
      asked_by,
      error: null,
    };
    this.#last = run;
    try {
      await prune(this.#ctx, this.#terms, {
        next: (took) => this.#next(took),
        deleted: (counts) => {
          for (const [what, rows] of Object.entries(counts)) deleted[what] = (deleted[what] ?? 0) + rows;
        },
      });
      run.finished = !this.#stop.signal.aborted;
      return run;
    } catch (error) {
      run.error = messageOf(error);
      throw error;
    } finally {
      run.took_ms = Math.round(performance.now() - begun);
      await this.#account(run);
    }
  }

  /** Waits while many receipts are waiting, then as long as the transaction took, at most 1 s; returns false to stop. */
  async #next(took: number): Promise<boolean> {
    const { signal } = this.#stop;
    for (let second = 0; second < MOST_PATIENCE && this.#backlog() > BUSY_RECEIPTS; second += 1) {
      if (signal.aborted) return false;
      await wait(1_000, signal);
    }
    await wait(Math.min(took, LONGEST_PAUSE_MS), signal);
    return !signal.aborted;
  }

  async #account({ deleted, asked_by, finished, error, took_ms }: PruneRun): Promise<void> {
    if (Object.keys(deleted).length === 0) return;
    const { log } = this.#ctx;
    log.info({ deleted, took_ms, finished }, "deleted expired data");
    const data = { deleted, asked_by, finished };
    await transaction(this.#ctx, async (tx) =>
      record(tx, { action: "retention.pruned", subject: "storage", data }),
    ).catch((failure: unknown) => {
      // If the run itself has failed, its own error is thrown instead.
      if (error === null) throw failure;
    });
  }
}
