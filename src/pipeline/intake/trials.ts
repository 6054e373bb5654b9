import { hasState, isUnavailable } from "../../db/failure.ts";
import {
  finishReceipts,
  limitsFor,
  type ReadBody,
  raiseTries,
  readBody,
  stillWaiting,
} from "../../intake/index.ts";
import { clip } from "../../lib/clip.ts";
import { messageOf } from "../../lib/error.ts";
import { logAbout } from "../../lib/log.ts";
import { redactText } from "../../lib/redact.ts";
import type { PipelineDeps } from "../types.ts";
import type { Delivery } from "./decode-receipt.ts";
import type { Entry } from "./lanes.ts";
import { PartSize } from "./parts.ts";
import { isWell } from "./process-receipts.ts";

/** So often a receipt is tried, the first time included: over restarts, and whatever else succeeds meanwhile. */
const MOST_TRIES = 5;
// After the second it is tried by itself.
const TOGETHER = 2;
// Each wait for the next try is so many times the one before: what a busy database needs is time.
const GROWTH = 4;
// A statement of a receipt that is large or has failed ends before its connection gives up, and on the server too.
const STATEMENT_MS = 4_000;
const SMALL_PART = 20;
const LONGEST_SLEEP_MS = 60_000;
// Conflicts, and what was cancelled: by another time it may pass.
const PASSING = ["40001", "40P01", "55P03", "57014"];

const mayPass = (error: unknown) => isUnavailable(error) || hasState(error, PASSING);

/** How often receipts were tried, which are tried again and when, and which are given up. */
export class Trials {
  readonly #current: () => PipelineDeps;
  readonly #retry: number;
  #parked: { entry: Entry; at: number }[] = [];

  /** `retry`: milliseconds to the next try of one that failed by itself. */
  constructor(current: () => PipelineDeps, retry: number) {
    this.#current = current;
    this.#retry = retry;
  }

  /** Receipts that wait for their next try. */
  get parked(): number {
    return this.#parked.length;
  }

  all(): Entry[] {
    return this.#parked.map(({ entry }) => entry);
  }

  /** Those whose next try has come. */
  due(): Entry[] {
    const now = performance.now();
    const [due, later] = [true, false].map((is) => this.#parked.filter(({ at }) => at <= now === is));
    this.#parked = later ?? [];
    return (due ?? []).map(({ entry }) => entry);
  }

  /** Milliseconds until the next of them is due. */
  soonest(): number {
    const now = performance.now();
    return this.#parked.reduce((least, { at }) => Math.min(least, Math.max(at - now, 1)), LONGEST_SLEEP_MS);
  }

  /**
   * Counts a try of those that are tried again, committed before anything is done about them: what kills the
   * process, or the database, is known by it afterwards. A try that came to nothing because nothing could be taken
   * in then counts for the next one. Returns those that are tried; the others are settled.
   */
  async begin(entries: readonly Entry[]): Promise<Entry[]> {
    const again = entries.filter((entry) => entry.again);
    if (again.length === 0) return [...entries];
    const ctx = this.#current().as("intake");
    const raised = await raiseTries(
      ctx,
      again.map((entry) => entry.receipt.seq),
    );
    const ours: Entry[] = [];
    for (const entry of entries) {
      if (entry.again) entry.tries = raised.get(entry.receipt.seq) ?? 0;
      if (entry.tries > MOST_TRIES)
        await this.#giveUp(entry, `it was tried ${MOST_TRIES} times, and no try came to an end`);
      else if (entry.tries > 0) ours.push(entry);
    }
    for (const entry of ours) entry.again = false;
    return ours;
  }

  /** What is to be done with each, its body read when it is asked for. */
  *deliveries(entries: readonly Entry[]): Generator<Delivery> {
    const limits = limitsFor(this.#current().alerts_per_body);
    for (const { receipt, json, settle } of entries) {
      const read = json === undefined ? readOf(receipt.body, limits) : { json, cut: null };
      yield { receipt, body: read.json, cut: read.cut, unattended: settle === null };
    }
  }

  /** What bounds the work on them, in parts of `size`: of what failed by itself in the smallest. */
  terms(entries: readonly Entry[], size: PartSize): { size: PartSize; statement: number | null } {
    const failed = entries.some((entry) => entry.tries > TOGETHER);
    const bounded = failed || entries.some(({ receipt }) => receipt.body.length > LARGE);
    return { size: failed ? new PartSize(SMALL_PART) : size, statement: bounded ? STATEMENT_MS : null };
  }

  /**
   * Receipts failed that were tried together. Where it may pass, and an alert of our own fails too, it is none of
   * their doing: `away`. Else they are tried again, the third time each by itself; one that cannot pass, or was tried too often, is a dead
   * letter.
   */
  async failed(entries: readonly Entry[], error: unknown): Promise<{ entries: Entry[]; away: boolean }> {
    const deps = this.#current();
    const ctx = deps.as("intake");
    const seqs = entries.map((entry) => entry.receipt.seq);
    const left = await stillWaiting(ctx, seqs).catch(() => null);
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

  /** It is kept as a dead letter: it harms nobody there, and people may have it tried again. */
  async #giveUp({ receipt, settle }: Entry, reason: string): Promise<void> {
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
    settle?.(null);
  }
}

const LARGE = 64 * 1024;

/** undefined: it is no JSON, which no source understands. */
function readOf(body: Buffer, limits: Parameters<typeof readBody>[1]): Pick<ReadBody, "json" | "cut"> {
  try {
    return readBody(body, limits);
  } catch {
    return { json: undefined, cut: null };
  }
}
