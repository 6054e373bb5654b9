import { utf8Of } from "../../lib/json-text.ts";

/** Bounds of what is read of one body; of longer lists and objects only the first entries are read. */
export type BodyLimits = {
  /** Entries of one list or object. */
  entries: number;
  /** Values in the whole body. */
  values: number;
};

export type ReadBody = {
  json: unknown;
  /** Number of entries of its longest list or object. */
  longest: number;
  /** Description of what was left out; null: nothing. */
  cut: string | null;
};

// Deepest nesting that is read. Vendors' bodies are five levels deep, with a program's stack trace twenty.
const DEEPEST = 64;
/** Values allowed per alert, with its labels and annotations: a JSON text with 25 values is seldom shorter than 600 bytes. */
const VALUES_OF_ALERT = 30;

/** Returns the limits for a body of which up to `alerts` alerts are decoded. */
export const limitsFor = (alerts: number): BodyLimits => ({
  entries: alerts,
  values: alerts * VALUES_OF_ALERT,
});

/** Limits of what is read before a sender is answered; the rest is read when the receipt is processed. */
export const LIMITS_BEFORE_ANSWER = limitsFor(1_000);

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Returns the index after a JSON string that begins at `at`. */
export function afterText(bytes: Buffer, at: number): number {
  for (let i = at + 1; i < bytes.length; i += 1) {
    if (bytes[i] === BACKSLASH) i += 1;
    else if (bytes[i] === QUOTE) return i + 1;
  }
  return bytes.length;
}

/** Returns, from an index within a list or object, the index of its end and how many more entries it has until there. */
function endOf(bytes: Buffer, from: number): { end: number; entries: number } {
  let depth = 0;
  let entries = 0;
  let at = from;
  while (at < bytes.length) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = afterText(bytes, at);
      continue;
    }
    if (byte === OPEN_LIST || byte === OPEN_OBJECT) depth += 1;
    else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) {
      if (depth === 0) break;
      depth -= 1;
    } else if (byte === COMMA && depth === 0) entries += 1;
    at += 1;
  }
  return { end: at, entries };
}

/** Scans the bytes of a JSON text once, and collects the pieces of it that are within the limits. */
class Cutter {
  readonly pieces: Buffer[] = [];
  longest = 0;
  left_out = 0;
  too_deep = 0;
  readonly #bytes: Buffer;
  readonly #limits: BodyLimits;
  readonly #entries: number[] = [];
  #values = 0;
  #kept = 0;

  constructor(bytes: Buffer, limits: BodyLimits) {
    this.#bytes = bytes;
    this.#limits = limits;
  }

  run(): void {
    const bytes = this.#bytes;
    for (let at = 0; at < bytes.length; ) {
      const byte = bytes[at];
      if (byte === QUOTE) at = afterText(bytes, at);
      else if (byte === OPEN_LIST || byte === OPEN_OBJECT) at = this.#open(at);
      else if (byte === COMMA) at = this.#next(at);
      else {
        if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) this.#close();
        at += 1;
      }
    }
    this.pieces.push(bytes.subarray(this.#kept));
  }

  #open(at: number): number {
    if (this.#entries.length < DEEPEST) {
      this.#entries.push(1);
      this.#values += 1;
      return at + 1;
    }
    const { end } = endOf(this.#bytes, at + 1);
    this.too_deep += 1;
    this.#leaveOut(at, end + 1, "null");
    return end + 1;
  }

  #next(at: number): number {
    const level = this.#entries.length - 1;
    const entries = this.#entries[level];
    if (entries === undefined) return at + 1;
    this.#values += 1;
    if (entries < this.#limits.entries && this.#values <= this.#limits.values) {
      this.#entries[level] = entries + 1;
      return at + 1;
    }
    const rest = endOf(this.#bytes, at);
    this.#entries[level] = entries + rest.entries;
    this.left_out += rest.entries;
    this.#leaveOut(at, rest.end, "");
    return rest.end;
  }

  #close(): void {
    this.longest = Math.max(this.longest, this.#entries.pop() ?? 0);
  }

  #leaveOut(from: number, to: number, instead: string): void {
    this.pieces.push(this.#bytes.subarray(this.#kept, from), Buffer.from(instead));
    this.#kept = to;
  }
}

const number = (value: number) => value.toLocaleString("en-US");

function wordsFor({ longest, left_out, too_deep }: Cutter, { entries }: BodyLimits): string | null {
  const words = [
    ...(longest > entries ? [`of ${number(longest)} entries the first ${number(entries)} are read`] : []),
    ...(longest <= entries && left_out > 0 ? [`${number(left_out)} values are too many to read`] : []),
    ...(too_deep > 0 ? [`nesting deeper than ${DEEPEST} is not read`] : []),
  ];
  return words.length === 0 ? null : `truncated: ${words.join("; ")}`;
}

/**
 * Parses a body as JSON, applying the limits before any object is created: a body of nothing but brackets would otherwise take a
 * hundred times its bytes. Throws a `SyntaxError` for invalid JSON, and `unparsable` for another encoding; in what is left out
 * only brackets are checked.
 */
export function readBody(body: Buffer, limits: BodyLimits): ReadBody {
  const bytes = utf8Of(body);
  const cutter = new Cutter(bytes, limits);
  cutter.run();
  const { pieces, longest } = cutter;
  const [whole = bytes] = pieces;
  const text = (pieces.length === 1 ? whole : Buffer.concat(pieces)).toString("utf8");
  return { json: JSON.parse(text), longest, cut: wordsFor(cutter, limits) };
}
