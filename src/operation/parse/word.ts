import { excerpt, refuse } from "./refused.ts";

/**
 * Who determines the value of a part that is known only when a shell runs it: a person who fills in a
 * `placeholder`, the environment (`variable`), the files of a folder (`pattern`), the account (`path`, always
 * one word that begins as a path), or the text itself (`computed`: output of a substitution, `$_`, `${X:-…}`).
 */
export type Origin = "placeholder" | "variable" | "pattern" | "path" | "computed";

/** An unknown part of a word. `text` is as written. */
export type UnknownPart = {
  text: string;
  origin: Origin;
  /** Whether a shell may split it into several words, or none. */
  splits: boolean;
  /** The commands of a substitution, which run in any case. */
  program?: Program;
};

/**
 * One word of a command line, as a shell would read it. `text` is without quotes and escapes; a part that is
 * known only when a shell runs it stays as written, and `unknown` is the first such part.
 */
export type Word = {
  text: string;
  unknown: string | null;
  /** The text before the first unknown part; the whole text when there is none. */
  head: string;
  /** The known parts only: the word if every unknown part expands to nothing. */
  knownText: string;
  /** All unknown parts, in order. */
  parts: readonly UnknownPart[];
  /** Whether any part was quoted: a quoted word is never a reserved word or an assignment. */
  quoted: boolean;
  /** Whether it follows `<name>`, so that a shell would write to a file of this name. */
  afterAngle: boolean;
};

/** `operator` includes a leading file descriptor; `body` is the text of a here-document. */
export type Redirection = { operator: string; target: Word; body: Word | null };
export type Command = { assignments: Word[]; words: Word[]; redirections: Redirection[] };
/** Commands joined by pipes, and the operator after them. */
export type Pipeline = { commands: Command[]; end: string };
export type Program = { pipelines: Pipeline[]; comment: boolean };

/** Returns a word from plain text, without quotes or unknown parts. */
export function plainWord(text: string): Word {
  return { text, unknown: null, head: text, knownText: text, parts: [], quoted: false, afterAngle: false };
}

/** Returns the text of a word; refuses one with an unknown part. */
export function requireKnown(word: Word, what: string): string {
  if (word.unknown === null) return word.text;
  return refuse(`${what} must be a fixed value, not ${excerpt(word.unknown)}`);
}

/** Returns the first unknown part of the words, for a read's reason; null: there is none. */
export function unknownIn(words: readonly Word[]): string | null {
  return words.find((word) => word.unknown !== null)?.unknown ?? null;
}

/** Returns whether a shell may split a word into several, or none. */
export const splits = (word: Word): boolean => word.parts.some((part) => part.splits);

/** Returns whether a word becomes a flag when its unknown parts, with one of which it begins, expand to nothing. */
export function isHiddenFlag({ head, knownText, parts }: Word): boolean {
  return head === "" && knownText.startsWith("-") && parts.some(({ origin }) => mayHoldFlags(origin));
}

/** Returns whether such a part's value may begin with a dash: people fill in names, and paths do not. */
const mayHoldFlags = (origin: Origin): boolean => origin !== "placeholder" && origin !== "path";

/** Returns whether a shell may turn the word, or a part of it, into a flag. */
export function mayBeFlag(word: Word): boolean {
  const [first] = word.parts;
  if (first === undefined) return false;
  return (
    (word.head === "" && mayHoldFlags(first.origin)) ||
    // File names that match a pattern begin as the pattern does.
    word.parts.some((part) => part.splits && (part.origin === "variable" || part.origin === "computed"))
  );
}

/** A word under construction. */
export class WordBuilder {
  #text = "";
  #knownText = "";
  #head: string | null = null;
  #braces: "none" | "open" | "list" = "none";
  started = false;
  quoted = false;
  /** Whether the next part is in double quotes, where nothing is split. */
  inQuotes = false;
  readonly parts: UnknownPart[] = [];

  literal(text: string): void {
    this.#text += text;
    this.#knownText += text;
    this.started = true;
  }

  /** Adds a literal character outside quotes. */
  bare(one: string): void {
    // bash expands `{a,b}` and `{1..3}` to several words, dash does not; bash even makes two words of `{a},b}`.
    if (one === "{") this.#braces = this.#braces === "none" ? "open" : this.#braces;
    else if (this.#braces === "open" && (one === "," || one === "..")) this.#braces = "list";
    else if (one === "}" && this.#braces === "list")
      refuse("brace expansion ({a,b}) is not supported: write out the words");
    this.literal(one);
  }

  unknown(text: string, origin: Origin, more: { splits?: boolean; program?: Program } = {}): void {
    this.#head ??= this.#text;
    this.parts.push({ text, origin, splits: false, ...more });
    this.#text += text;
    this.started = true;
    if (text.startsWith("{") && this.#braces === "none") this.#braces = "open";
  }

  /** Begins a quoted part; an empty one makes a word, too. */
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
      knownText: this.#knownText,
      parts,
      quoted,
      afterAngle: false,
    };
  }
}
