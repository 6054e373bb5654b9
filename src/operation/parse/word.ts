import { refuse, shown } from "./refused.ts";

/**
 * Who says what stands in a part that is only known when a shell runs it: a person who fills in a
 * `placeholder`, the environment (`variable`), the files of a folder (`pattern`), the account (`path`, which is
 * one word that begins as a path), or the text itself (`chosen`: what a substitution prints, `$_`, `${X:-…}`).
 */
export type Origin = "placeholder" | "variable" | "pattern" | "path" | "chosen";

/** One part of a word that is not known. `text` is as written. */
export type Part = {
  text: string;
  origin: Origin;
  /** Whether a shell may make several words of it, or none. */
  splits: boolean;
  /** The commands of a substitution, which run whatever the word is for. */
  program?: Program;
};

/**
 * One word of a command line, as a shell would make it. `text` is without quotes and escapes; where a part
 * is only known when a shell runs it, that part stands as written and `unknown` is the first such part.
 */
export type Word = {
  text: string;
  unknown: string | null;
  /** The text before the first unknown part; all of it when there is none. */
  head: string;
  /** Only what is known of it: what is left when every unknown part comes to nothing. */
  sure: string;
  /** Every part that is not known, in order. */
  parts: readonly Part[];
  /** Whether any part was quoted: quoted words are no reserved words and no assignments. */
  quoted: boolean;
  /** Whether it stands behind `<name>`, so that a shell writes to a file of this name. */
  behindAngle: boolean;
};

/** `fd` is what stands before the operator; `body` the lines of a here-document. */
export type Redirection = { operator: string; target: Word; body: Word | null };
export type Command = { assignments: Word[]; words: Word[]; redirections: Redirection[] };
/** Commands joined by pipes, and the operator behind them. */
export type Pipeline = { commands: Command[]; end: string };
export type Program = { pipelines: Pipeline[]; comment: boolean };

/** A word without quotes, variables or anything else in it. */
export function plainWord(text: string): Word {
  return { text, unknown: null, head: text, sure: text, parts: [], quoted: false, behindAngle: false };
}

/** The text of a word that must be known; refuses a variable, a placeholder, a pattern. */
export function known(word: Word, what: string): string {
  if (word.unknown === null) return word.text;
  return refuse(`${what} is a value that is not known: ${shown(word.unknown)}`);
}

/** Whether a shell may make several words of it, or none. */
export const splits = (word: Word): boolean => word.parts.some((part) => part.splits);

/** Whether it is a flag, although it does not begin as one, when what is not known of it comes to nothing. */
export function isHiddenFlag({ head, sure, parts }: Word): boolean {
  return head === "" && sure.startsWith("-") && parts.some(({ origin }) => mayHoldFlags(origin));
}

/** Whether what stands for such a part may begin with a dash: people fill in names. */
const mayHoldFlags = (origin: Origin): boolean => origin !== "placeholder" && origin !== "path";

/** Whether a shell may make a flag of it, or of a part of it. */
export function mayBeFlag(word: Word): boolean {
  const [first] = word.parts;
  if (first === undefined) return false;
  return (
    (word.head === "" && mayHoldFlags(first.origin)) ||
    // The names that a pattern stands for all begin as it does.
    word.parts.some((part) => part.splits && (part.origin === "variable" || part.origin === "chosen"))
  );
}

/** A word under construction. */
export class WordBuilder {
  #text = "";
  #sure = "";
  #head: string | null = null;
  #braces: "none" | "open" | "list" = "none";
  started = false;
  quoted = false;
  /** Whether what comes next stands between double quotes, where nothing is split. */
  inQuotes = false;
  readonly parts: Part[] = [];

  literal(text: string): void {
    this.#text += text;
    this.#sure += text;
    this.started = true;
  }

  /** A character that stands as it is, outside quotes. */
  bare(one: string): void {
    // `{a,b}` and `{1..3}` are several words for bash and one for dash; even `{a},b}` is two for bash.
    if (one === "{") this.#braces = this.#braces === "none" ? "open" : this.#braces;
    else if (this.#braces === "open" && (one === "," || one === "..")) this.#braces = "list";
    else if (one === "}" && this.#braces === "list")
      refuse("a list in braces ({a,b}) is not read: write out its words");
    this.literal(one);
  }

  unknown(text: string, origin: Origin, more: { splits?: boolean; program?: Program } = {}): void {
    this.#head ??= this.#text;
    this.parts.push({ text, origin, splits: false, ...more });
    this.#text += text;
    this.started = true;
    if (text.startsWith("{") && this.#braces === "none") this.#braces = "open";
  }

  /** Begins a quoted part, which makes a word even when it is empty. */
  quote(): void {
    this.started = true;
    this.quoted = true;
  }

  get text(): string {
    return this.#text;
  }

  build(): Word {
    const { parts, quoted } = this;
    const text = this.#text;
    return {
      text,
      unknown: parts[0]?.text ?? null,
      head: this.#head ?? text,
      sure: this.#sure,
      parts,
      quoted,
      behindAngle: false,
    };
  }
}
