import type { WebhookAnswer } from "../../contract/webhook.ts";
import type { Receipt } from "../../intake/index.ts";

/** A receipt that waits to be processed. */
export type Entry = {
  receipt: Receipt;
  /** The parsed body where it is small and its sender waits; otherwise it is parsed when it is processed. */
  json: unknown;
  respond: ((answer: WebhookAnswer | null) => void) | null;
  /** When it was taken, in milliseconds of the process's monotonic clock. */
  since: number;
  /** Its next attempt is counted before it is made: an earlier process left it, or it has failed. */
  again: boolean;
  /** Number of attempts, the current one included. */
  tries: number;
  /** It is processed alone: it, or a receipt processed with it, has failed, or it ends more calls than are ended at once. */
  alone: boolean;
};

// Limit of one transaction: enough to share its cost, few enough to answer the senders soon.
const BATCH = { receipts: 1_000, bytes: 1024 * 1024 };
// What a sender may have under way and still be served at once: more is a flood, or costs as much as one.
const PROMPT = { receipts: 16, bytes: 16 * 1024 };
// Bodies larger than a batch may hold many alerts: at most this many are decoded in memory at a time.
const MOST_LARGE = 4;

const isLarge = ({ receipt }: Entry) => receipt.body.length > BATCH.bytes;
const senderOf = ({ receipt: { source, sender } }: Entry) => `${source}\n${sender}`;

type Load = { receipts: number; bytes: number };

/** Receipts of one sender from the fair lane, processed in parts, alternating with those of other senders. */
export type SenderBatch<Work> = { sender: string; entries: readonly Entry[]; work: Work };
type Line<Work> = { waiting: Entry[]; batch: SenderBatch<Work> | null };

/**
 * Chooses which receipts are processed next. A sender with little under way is served at once, in order of arrival. One
 * with more, or whose bodies are large or have failed, is put into the fair lane, which serves senders in rotation. The receipts of
 * one sender keep their order.
 */
export class ReceiptQueues<Work> {
  readonly #prompt: Entry[] = [];
  #served: readonly Entry[] = [];
  /** Load of each sender in the prompt lane, receipts in hand included. */
  readonly #light = new Map<string, Load>();
  /** The fair lane, by sender; the next sender is first. */
  readonly #lines = new Map<string, Line<Work>>();
  #bytes = 0;
  #size = 0;
  #fair = 0;

  /** Number of receipts that wait or are in hand. */
  get size(): number {
    return this.#size;
  }

  /** Bytes of the bodies of those receipts. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Number of receipts that wait in the prompt lane. */
  get prompt(): number {
    return this.#prompt.length;
  }

  /** Number of receipts that wait in the fair lane. */
  get fair(): number {
    return this.#fair;
  }

  /** The receipts that wait in the fair lane. */
  *waiting(): Generator<Entry> {
    for (const { waiting } of this.#lines.values()) yield* waiting;
  }

  isPrompt(entry: Entry): boolean {
    const { receipts, bytes } = this.#light.get(senderOf(entry)) ?? { receipts: 0, bytes: 0 };
    return (
      !entry.alone &&
      !this.#lines.has(senderOf(entry)) &&
      receipts < PROMPT.receipts &&
      bytes + entry.receipt.body.length <= PROMPT.bytes
    );
  }

  add(entry: Entry): void {
    const sender = senderOf(entry);
    const bytes = entry.receipt.body.length;
    this.#size += 1;
    this.#bytes += bytes;
    if (this.isPrompt(entry)) {
      const load = this.#light.get(sender) ?? { receipts: 0, bytes: 0 };
      this.#light.set(sender, { receipts: load.receipts + 1, bytes: load.bytes + bytes });
      this.#prompt.push(entry);
      return;
    }
    const line = this.#lines.get(sender) ?? { waiting: [], batch: null };
    line.waiting.push(entry);
    this.#lines.set(sender, line);
    this.#fair += 1;
  }

  /** Takes the oldest receipts of the prompt lane, as many as are processed together. */
  takePrompt(): Entry[] {
    const entries = this.#prompt.splice(0, batchOf(this.#prompt));
    this.#served = entries;
    return entries;
  }

  /** Ends these receipts of the prompt lane, except `later`, which move to the second lane with what their senders sent since. */
  endPrompt(entries: readonly Entry[], later: readonly Entry[] = []): void {
    this.#served = [];
    this.#endLight(entries);
    if (later.length === 0) return;
    const senders = new Set(later.map(senderOf));
    const since = this.#prompt.filter((entry) => senders.has(senderOf(entry)));
    const others = this.#prompt.filter((entry) => !senders.has(senderOf(entry)));
    this.#prompt.splice(0, this.#prompt.length, ...others);
    this.#endLight(since);
    for (const entry of later) this.add({ ...entry, alone: true });
    for (const entry of since) this.add(entry);
  }

  #endLight(entries: readonly Entry[]): void {
    this.#leave(entries);
    for (const entry of entries) {
      const { receipts, bytes } = this.#light.get(senderOf(entry)) ?? { receipts: 0, bytes: 0 };
      if (receipts <= 1) this.#light.delete(senderOf(entry));
      else
        this.#light.set(senderOf(entry), {
          receipts: receipts - 1,
          bytes: bytes - entry.receipt.body.length,
        });
    }
  }

  /** Returns the batch of the next sender. `begin` makes its work from the receipts where no batch is in hand. */
  takeFair(begin: (entries: readonly Entry[]) => Work): SenderBatch<Work> | undefined {
    const large = [...this.#lines.values()].filter(({ batch }) => batch?.entries.some(isLarge)).length;
    for (const [sender, line] of this.#lines) {
      if (line.batch === null && !this.#mayBegin(sender, line, large)) continue;
      line.batch ??= this.#begin(sender, line.waiting, begin);
      // The sender moves to the end of the line.
      this.#lines.delete(sender);
      this.#lines.set(sender, line);
      return line.batch;
    }
    return undefined;
  }

  #mayBegin(sender: string, { waiting: [first] }: Line<Work>, large: number): boolean {
    // Earlier receipts of the sender may still be in the prompt lane.
    return first !== undefined && !this.#light.has(sender) && (!isLarge(first) || large < MOST_LARGE);
  }

  #begin(sender: string, waiting: Entry[], begin: (entries: readonly Entry[]) => Work): SenderBatch<Work> {
    const entries = waiting.splice(0, waiting[0]?.alone ? 1 : batchOf(waiting));
    this.#fair -= entries.length;
    return { sender, entries, work: begin(entries) };
  }

  /** Ends a batch whose work is done. */
  endFair({ sender, entries }: SenderBatch<Work>): void {
    this.#leave(entries);
    const line = this.#lines.get(sender);
    if (line === undefined) return;
    line.batch = null;
    if (line.waiting.length === 0) this.#lines.delete(sender);
  }

  #leave(entries: readonly Entry[]): void {
    this.#size -= entries.length;
    for (const { receipt } of entries) this.#bytes -= receipt.body.length;
  }

  /** Returns all receipts, waiting or in hand. */
  all(): Entry[] {
    const inHand = [...this.#lines.values()].flatMap(({ batch }) => batch?.entries ?? []);
    return [...this.#served, ...this.#prompt, ...inHand, ...this.waiting()];
  }
}

/** Returns how many of these are processed together. An entry that is `alone` is only taken as the first. */
function batchOf(entries: readonly Entry[]): number {
  let bytes = 0;
  let end = 0;
  for (const { receipt, alone } of entries) {
    bytes += receipt.body.length;
    if (end === BATCH.receipts || (end > 0 && (alone || bytes > BATCH.bytes))) break;
    end += 1;
  }
  return end;
}
