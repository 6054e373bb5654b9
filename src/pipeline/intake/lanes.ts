import type { WebhookAnswer } from "../../contract/webhook.ts";
import type { Receipt } from "../../intake/index.ts";

/** A receipt that waits to be understood. */
export type Entry = {
  receipt: Receipt;
  /** Its body where that is small and its sender waits; else it is read when its turn comes. */
  json: unknown;
  settle: ((answer: WebhookAnswer | null) => void) | null;
  /** When it was taken, by the process's own clock. */
  since: number;
  /** Its next try is counted before it is made: it is left from an earlier process, or failed by itself. */
  again: boolean;
  /** How often it was tried, with this time. */
  tries: number;
  /** It is taken by itself: it, or one that was tried with it, has failed, or more ends with it than is ended at once. */
  alone: boolean;
};

// What one transaction takes: enough to share its cost, few enough to answer the senders soon.
const BATCH = { receipts: 1_000, bytes: 1024 * 1024 };
// What a sender may have under way and still be served at once: more is a flood, or costs as much as one.
const PROMPT = { receipts: 16, bytes: 16 * 1024 };
// Bodies that are larger than a batch may be many alerts: so many of them are in memory as such.
const MOST_LARGE = 4;

const isLarge = ({ receipt }: Entry) => receipt.body.length > BATCH.bytes;
const senderOf = ({ receipt: { source, sender } }: Entry) => `${source}\n${sender}`;

type Load = { receipts: number; bytes: number };

/** Receipts of one sender that are processed by parts, in turn with those of others. */
export type Turn<Work> = { sender: string; entries: readonly Entry[]; work: Work };
type Line<Work> = { waiting: Entry[]; turn: Turn<Work> | null };

/**
 * Who is served next. A sender with little under way is served at once, in order with all such; one with more, or
 * with bodies that are large or have failed, in another lane, where senders take turns. Receipts of one sender keep
 * their order.
 */
export class Lanes<Work> {
  readonly #prompt: Entry[] = [];
  #served: readonly Entry[] = [];
  /** By sender, in the prompt lane, in hand included. */
  readonly #light = new Map<string, Load>();
  /** The others, by sender; whose turn is next is first. */
  readonly #lines = new Map<string, Line<Work>>();
  #bytes = 0;
  #size = 0;
  #inTurn = 0;

  /** Receipts that wait or are in hand. */
  get size(): number {
    return this.#size;
  }

  /** Bytes of their bodies. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Receipts that wait to be served at once. */
  get prompt(): number {
    return this.#prompt.length;
  }

  /** Receipts that wait for their turn. */
  get inTurn(): number {
    return this.#inTurn;
  }

  /** The receipts that wait for their turn. */
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
    const line = this.#lines.get(sender) ?? { waiting: [], turn: null };
    line.waiting.push(entry);
    this.#lines.set(sender, line);
    this.#inTurn += 1;
  }

  /** The oldest of those that are served at once, as many as are taken together. */
  takePrompt(): Entry[] {
    const entries = this.#prompt.splice(0, batchOf(this.#prompt));
    this.#served = entries;
    return entries;
  }

  /** These of the prompt lane are done with, but for `later`, which wait for a turn; so does what their senders sent since. */
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

  /** The sender whose turn it is, with what of it is in hand; `begin` makes work of what it has next. */
  takeTurn(begin: (entries: readonly Entry[]) => Work): Turn<Work> | undefined {
    const large = [...this.#lines.values()].filter(({ turn }) => turn?.entries.some(isLarge)).length;
    for (const [sender, line] of this.#lines) {
      if (line.turn === null && !this.#mayBegin(sender, line, large)) continue;
      line.turn ??= this.#begin(sender, line.waiting, begin);
      // Last from now on.
      this.#lines.delete(sender);
      this.#lines.set(sender, line);
      return line.turn;
    }
    return undefined;
  }

  #mayBegin(sender: string, { waiting: [first] }: Line<Work>, large: number): boolean {
    // What it sent before may still be in the prompt lane.
    return first !== undefined && !this.#light.has(sender) && (!isLarge(first) || large < MOST_LARGE);
  }

  #begin(sender: string, waiting: Entry[], begin: (entries: readonly Entry[]) => Work): Turn<Work> {
    const entries = waiting.splice(0, waiting[0]?.alone ? 1 : batchOf(waiting));
    this.#inTurn -= entries.length;
    return { sender, entries, work: begin(entries) };
  }

  /** Nothing is left to do of this turn. */
  endTurn({ sender, entries }: Turn<Work>): void {
    this.#leave(entries);
    const line = this.#lines.get(sender);
    if (line === undefined) return;
    line.turn = null;
    if (line.waiting.length === 0) this.#lines.delete(sender);
  }

  #leave(entries: readonly Entry[]): void {
    this.#size -= entries.length;
    for (const { receipt } of entries) this.#bytes -= receipt.body.length;
  }

  /** Everything that is there, waiting or in hand. */
  all(): Entry[] {
    const inHand = [...this.#lines.values()].flatMap(({ turn }) => turn?.entries ?? []);
    return [...this.#served, ...this.#prompt, ...inHand, ...this.waiting()];
  }
}

/** How many of these are taken together: none that is tried by itself, but as the first. */
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
