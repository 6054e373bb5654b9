import { refuse, shown } from "./refused.ts";

/**
 * One word of a command line, as a shell would make it. `text` is without quotes and escapes; where a part
 * is only known when a shell runs it, that part stands as written and `unknown` is the first such part.
 */
export type Word = {
  text: string;
  unknown: string | null;
  /** The text before the first unknown part; all of it when there is none. */
  head: string;
  /** Whether any part was quoted: quoted words are no reserved words and no assignments. */
  quoted: boolean;
  /** The commands of its substitutions, which run whatever the word is for. */
  inner: Program[];
};

/** `fd` is what stands before the operator; `body` the lines of a here-document. */
export type Redirection = { operator: string; target: Word; body: Word | null };
export type Command = { assignments: Word[]; words: Word[]; redirections: Redirection[] };
/** Commands joined by pipes, and the operator behind them. */
export type Pipeline = { commands: Command[]; end: string };
export type Program = { pipelines: Pipeline[]; comment: boolean };

/** A word without quotes, variables or anything else in it. */
export function plainWord(text: string): Word {
  return { text, unknown: null, head: text, quoted: false, inner: [] };
}

/** The text of a word that must be known; refuses a variable, a placeholder, a pattern. */
export function known(word: Word, what: string): string {
  if (word.unknown === null) return word.text;
  return refuse(`${what} is a value that is not known: ${shown(word.unknown)}`);
}

/** A word under construction. */
export class WordBuilder {
  #text = "";
  #head: string | null = null;
  #unknown: string | null = null;
  started = false;
  quoted = false;
  readonly inner: Program[] = [];

  literal(text: string): void {
    this.#text += text;
    this.started = true;
  }

  unknown(text: string): void {
    this.#head ??= this.#text;
    this.#unknown ??= text;
    this.literal(text);
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
    const { inner, quoted } = this;
    return { text: this.#text, unknown: this.#unknown, head: this.#head ?? this.#text, quoted, inner };
  }
}
