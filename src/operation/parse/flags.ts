import { excerpt, refuse } from "./refused.ts";
import { isHiddenFlag, mayBeFlag, requireKnown, type Word } from "./word.ts";

/** How a flag takes a value: never, always, or only when attached with `=` (`--dry-run=client`). */
type Takes = "nothing" | "value" | "glued";
/** Flags by each spelling (`-n`, `--namespace`), with their canonical name and how they take a value. */
export type FlagTable = ReadonlyMap<string, { name: string; takes: Takes }>;

/**
 * Builds a table from a text as in manuals: `-n,--namespace= -A,--all-namespaces --dry-run=?`. A flag's
 * canonical name is its last spelling; `=` takes a value, `=?` only an attached one.
 */
export function flagTable(...texts: readonly string[]): FlagTable {
  const table = new Map<string, { name: string; takes: Takes }>();
  for (const entry of texts.join(" ").split(/\s+/).filter(Boolean)) {
    const [, spellings = "", mark = ""] = /^([^=]+)(=\??)?$/.exec(entry) ?? [];
    const takes = mark === "" ? "nothing" : mark === "=" ? "value" : "glued";
    const all = spellings.split(",");
    for (const one of all) table.set(one, { name: all.at(-1) ?? one, takes });
  }
  return table;
}

/** Returns the names of the flags in texts as in a manual. */
export const flagNames = (texts: readonly string[]): string[] => [
  ...new Set([...flagTable(...texts).values()].map(({ name }) => name)),
];

/** A flag's value as written; `true` for a flag without one. */
export type FlagValue = Word | true;
export type ReadFlags = {
  /** Every occurrence, in order. `separate`: the value is a separate word. `behind`: how many operands stand before it. */
  flags: { name: string; value: FlagValue; separate: boolean; behind: number }[];
  operands: Word[];
  /** The words after `--`; null when there is no `--`. */
  rest: Word[] | null;
};

const wordOf = (word: Word, from: number): Word => ({
  ...word,
  text: word.text.slice(from),
  head: word.head.slice(from),
  knownText: word.knownText.slice(from),
});

class FlagReader {
  readonly #words: readonly Word[];
  readonly #table: FlagTable;
  readonly #command: string;
  readonly #flags: ReadFlags["flags"] = [];
  readonly #operands: Word[] = [];
  #at = 0;

  constructor(words: readonly Word[], table: FlagTable, command: string) {
    this.#words = words;
    this.#table = table;
    this.#command = command;
  }

  /** Reads flags and operands; with `stop`, up to the first operand, whose index is `next`. */
  read(stop: boolean): ReadFlags & { next: number } {
    let rest: Word[] | null = null;
    for (; this.#at < this.#words.length; this.#at += 1) {
      const word = this.#words[this.#at] as Word;
      if (word.text === "--" && word.unknown === null) {
        rest = this.#words.slice(this.#at + 1);
        break;
      }
      // If a variable is empty, the rest of its word may be a flag: `$X--raw`.
      if (!word.head.startsWith("-") && isHiddenFlag(word)) {
        refuse(`${excerpt(word.text)} becomes a flag if ${excerpt(word.unknown ?? "")} is empty`);
      }
      // A lone "-" is stdin, not a flag.
      if (!word.head.startsWith("-") || word.text === "-") {
        if (stop) break;
        this.#operands.push(word);
      } else if (word.head.startsWith("--")) this.#long(word);
      else this.#short(word);
    }
    return { flags: this.#flags, operands: this.#operands, rest, next: this.#at };
  }

  #find(spelling: string): { name: string; takes: Takes } {
    const found = this.#table.get(spelling);
    return found ?? refuse(`${excerpt(spelling)} is not an allowed flag of ${this.#command}`);
  }

  #valueBehind(spelling: string): Word {
    const flag = this.#words[this.#at];
    this.#at += 1;
    const value = this.#words[this.#at] ?? refuse(`${spelling} of ${this.#command} needs a value`);
    // After `<name>` a shell takes the flag as the file to write to, and its value as a separate word.
    if (flag?.afterAngle && (value.text.startsWith("-") || mayBeFlag(value)))
      refuse(`${excerpt(value.text)} may become a flag of ${this.#command}: <…> is a placeholder`);
    return value;
  }

  #long(word: Word): void {
    const equals = word.head.indexOf("=");
    if (equals < 0 && word.unknown !== null) refuse(`${excerpt(word.text)}: a flag must be written out`);
    const spelling = equals < 0 ? word.text : word.text.slice(0, equals);
    const { name, takes } = this.#find(spelling);
    if (equals >= 0) this.#add(name, wordOf(word, equals + 1));
    else if (takes === "value") this.#add(name, this.#valueBehind(spelling), true);
    else this.#add(name, true);
  }

  /** Reads short flags, which may be combined, with the value of the last one attached. */
  #short(word: Word): void {
    for (let at = 1; at < word.text.length; at += 1) {
      if (at >= word.head.length) refuse(`${excerpt(word.text)}: a flag must be written out`);
      const spelling = `-${word.text[at]}`;
      const { name, takes } = this.#find(spelling);
      if (takes === "nothing") {
        this.#add(name, true);
        continue;
      }
      const glued = word.text[at + 1] === "=" ? at + 2 : at + 1;
      if (at + 1 < word.text.length) this.#add(name, wordOf(word, glued));
      else if (takes === "value") this.#add(name, this.#valueBehind(spelling), true);
      else this.#add(name, true);
      return;
    }
  }

  #add(name: string, value: FlagValue, separate = false): void {
    this.#flags.push({ name, value, separate, behind: this.#operands.length });
  }
}

/** Reads all flags, anywhere among the operands. Refuses one that is not in the table. */
export function readFlags(words: readonly Word[], table: FlagTable, command: string): ReadFlags {
  return new FlagReader(words, table, command).read(false);
}

/** Reads the flags before the first operand, whose index in `words` is `next`. */
export function readLeadingFlags(
  words: readonly Word[],
  table: FlagTable,
  command: string,
): ReadFlags & { next: number } {
  return new FlagReader(words, table, command).read(true);
}

/** Flags by name. Of a repeated flag the last one counts, as in the tools. */
export class Flags {
  readonly #values = new Map<string, FlagValue>();
  readonly names: readonly string[];

  constructor(flags: ReadFlags["flags"]) {
    for (const { name, value } of flags) this.#values.set(name, value);
    this.names = flags.map((one) => one.name);
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** Returns the value as text, even if part of it is unknown. */
  text(name: string): string | undefined {
    const value = this.#values.get(name);
    return value === undefined || value === true ? undefined : value.text;
  }

  /** Returns the value; refuses an unknown one. */
  value(name: string): string | undefined {
    const value = this.#values.get(name);
    return value === undefined || value === true ? undefined : requireKnown(value, `the value of ${name}`);
  }

  /** Returns whether a boolean flag is on; refuses an unknown value. */
  on(name: string): boolean {
    if (this.#values.get(name) === true) return true;
    const value = this.value(name)?.toLowerCase();
    if (value === undefined || ["false", "f", "0"].includes(value)) return false;
    if (["true", "t", "1"].includes(value)) return true;
    return refuse(`${name} must be true or false, not ${excerpt(value)}`);
  }

  get words(): readonly Word[] {
    return [...this.#values.values()].filter((value) => value !== true);
  }

  /** Refuses flags that are not in `allowed`, repeated flags, and unknown values. */
  only(allowed: readonly string[], what: string): void {
    for (const name of this.names) {
      if (!allowed.includes(name)) refuse(`${name} ${what} is not supported in an operation`);
      if (this.names.indexOf(name) !== this.names.lastIndexOf(name)) refuse(`${name} is given twice`);
      this.value(name);
    }
  }
}
