import { hasState, isUnavailable } from "../../db/failure.ts";
import {
  finishReceipts,
  incrementTries,
  limitsFor,
  type ReadBody,
  readBody,
  unprocessedReceipts,
} from "../../intake/index.ts";
import { clip } from "../../lib/clip.ts";
import { messageOf } from "../../lib/error.ts";
import { logAbout } from "../../lib/log.ts";
import { redactText } from "../../lib/redact.ts";
import type { PipelineDeps } from "../types.ts";
import type { Delivery } from "./decode-receipt.ts";
import { isWell } from "./process-receipts.ts";
import { PartSize } from "./receipt-parts.ts";
import type { Entry } from "./receipt-queues.ts";

/**
 * Maximum number of attempts per receipt, the first included. It counts across restarts, and regardless of other receipts'
 * success.
 */
const MOST_TRIES = 5;
// After this many attempts a receipt is processed alone.
const TOGETHER = 2;
// Backoff factor between retries: a busy database needs time.
const GROWTH = 4;
// Statement timeout for a receipt that is large or has failed: below the connection's own timeout, and enforced by the
// server.
const STATEMENT_MS = 4_000;
const SMALL_PART = 20;
const LONGEST_SLEEP_MS = 60_000;
// SQLSTATEs of conflicts and cancelled statements: a retry may succeed.
const PASSING = ["40001", "40P01", "55P03", "57014"];

const mayPass = (error: unknown) => isUnavailable(error) || hasState(error, PASSING);

/** Counts attempts of receipts, and decides which are retried, when, and which are given up. */
export class ReceiptRetries {
  readonly #current: () => PipelineDeps;
  readonly #retry: number;
  #parked: { entry: Entry; at: number }[] = [];

  /** `retry`: milliseconds until the first retry of a receipt that failed alone. */
  constructor(current: () => PipelineDeps, retry: number) {
    this.#current = current;
    this.#retry = retry;
  }

  /** Number of receipts that wait for their retry. */
  get parked(): number {
    return this.#parked.length;
  }

  all(): Entry[] {
    return this.#parked.map(({ entry }) => entry);
  }

  /** Removes and returns the receipts whose retry is due. */
  due(): Entry[] {
    const now = performance.now();
    const [due, later] = [true, false].map((is) => this.#parked.filter(({ at }) => at <= now === is));
    this.#parked = later ?? [];
    return (due ?? []).map(({ entry }) => entry);
  }

  /** Returns the milliseconds until the next retry is due, at most a minute. */
  soonest(): number {
    const now = performance.now();
    return this.#parked.reduce((least, { at }) => Math.min(least, Math.max(at - now, 1)), LONGEST_SLEEP_MS);
  }

  /**
   * Counts the next attempt of receipts being retried, and commits that first, so that an attempt that kills the process
   * or the database is counted too. An attempt that failed while no receipt could be processed is not counted anew.
   * Returns the receipts to process; the others are answered.
   */
  async begin(entries: readonly Entry[]): Promise<Entry[]> {
    const again = entries.filter((entry) => entry.again);
    if (again.length === 0) return [...entries];
    const ctx = this.#current().as("intake");
    const raised = await incrementTries(
      ctx,
      again.map((entry) => entry.receipt.seq),
    );
    const ours: Entry[] = [];
    for (const entry of entries) {
      if (entry.again) entry.tries = raised.get(entry.receipt.seq) ?? 0;
      if (entry.tries > MOST_TRIES)
        await this.#giveUp(entry, `it was tried ${MOST_TRIES} times, and no attempt finished`);
      else if (entry.tries > 0) ours.push(entry);
    }
    for (const entry of ours) entry.again = false;
    return ours;
  }

  /** Yields the receipts with their bodies, each parsed when it is requested. */
  *deliveries(entries: readonly Entry[]): Generator<Delivery> {
    const limits = limitsFor(this.#current().alerts_per_body);
    for (const { receipt, json, respond } of entries) {
      const read = json === undefined ? readOf(receipt.body, limits) : { json, cut: null };
      yield { receipt, body: read.json, cut: read.cut, unattended: respond === null };
    }
  }

  /** Returns part size and statement timeout for these receipts: smaller parts when one has failed alone, `size` otherwise. */
  terms(entries: readonly Entry[], size: PartSize): { size: PartSize; statement: number | null } {
    const failed = entries.some((entry) => entry.tries > TOGETHER);
    const bounded = failed || entries.some(({ receipt }) => receipt.body.length > LARGE);
    return { size: failed ? new PartSize(SMALL_PART) : size, statement: bounded ? STATEMENT_MS : null };
  }

  /**
   * Decides what follows when receipts that were processed together fail. `away`: the error is transient and a test alert
   * fails as well, so the receipts are not at fault. Otherwise they are retried, alone after a permanent error or from the
   * third attempt on. One that fails alone, permanently or too often, becomes a dead letter.
   */
  async failed(entries: readonly Entry[], error: unknown): Promise<{ entries: Entry[]; away: boolean }> {
    const deps = this.#current();
    const ctx = deps.as("intake");
    const seqs = entries.map((entry) => entry.receipt.seq);
    const left = await unprocessedReceipts(ctx, seqs).catch(() => null);
    const passing = mayPass(error);
    if (left === null || (passing && !(await isWell(ctx, deps))))
      return { entries: [...entries], away: true };
    const ours = entries.filter((entry) => left.has(entry.receipt.seq));
    const [only, ...others] = ours;
    for (const entry of ours) {
      entry.again = true;
      entry.alone = !passing || entry.tries >= TOGETHER;
    }
    if (only === undefined || others.length > 0) return { entries: ours, away: false };
    if (!passing || only.tries >= MOST_TRIES) await this.#giveUp(only, messageOf(error));
    else this.#parked.push({ entry: only, at: performance.now() + this.#waitAfter(only.tries) });
    return { entries: [], away: false };
  }

  #waitAfter(tries: number): number {
    return this.#retry * GROWTH ** Math.max(0, tries - TOGETHER - 1);
  }

  /** Keeps a receipt as a dead letter, where it blocks nothing and a person can have it replayed. */
  async #giveUp({ receipt, respond }: Entry, reason: string): Promise<void> {
    const { seq, source, sender, body, replays = 0 } = receipt;
    const deps = this.#current();
    const ctx = deps.as("intake");
    logAbout({ receipt: seq }, () =>
      ctx.log.error({ error: reason }, "a receipt cannot be processed: it is kept as a dead letter"),
    );
    const error = clip(redactText(reason), 2_000);
    await finishReceipts(ctx, [{ seq, alert_count: 0, error }]);
    const about = { seq, source, sender, bytes: body.length, replayed: replays > 0 };
    deps.onReceived({ ...about, alerts: [], error });
    respond?.(null);
  }
}

const LARGE = 64 * 1024;

/** Parses a body. `json` is undefined where it is not JSON, which no source accepts. */
function readOf(body: Buffer, limits: Parameters<typeof readBody>[1]): Pick<ReadBody, "json" | "cut"> {
  try {
    return readBody(body, limits);
  } catch {
    return { json: undefined, cut: null };
  }
}
