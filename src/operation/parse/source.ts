import { refuse } from "./refused.ts";

/** How deep substitutions may stand in each other: further down nobody reads what is meant. */
const MAX_DEPTH = 8;

/** A text and the place in it up to which it has been read. */
export class Source {
  readonly text: string;
  readonly depth: number;
  /** Whether the shell of a host reads it, of which nobody knows whether it is bash. */
  readonly remote: boolean;
  at = 0;

  constructor(text: string, { depth = 0, remote = false } = {}) {
    if (depth > MAX_DEPTH) refuse(`substitutions stand more than ${MAX_DEPTH} deep in each other`);
    this.text = text;
    this.depth = depth;
    this.remote = remote;
  }

  /** Another text, or the same one again, that is read where this one is: a substitution in it. */
  within(text: string): Source {
    return new Source(text, { depth: this.depth + 1, remote: this.remote });
  }

  get done(): boolean {
    return this.at >= this.text.length;
  }

  /** The next character, or the one `ahead` of it; empty at the end. */
  peek(ahead = 0): string {
    return this.text[this.at + ahead] ?? "";
  }

  next(): string {
    const one = this.peek();
    this.at += 1;
    return one;
  }

  looksAt(text: string): boolean {
    return this.text.startsWith(text, this.at);
  }

  /** Reads `text` if it comes next. */
  take(text: string): boolean {
    if (!this.looksAt(text)) return false;
    this.at += text.length;
    return true;
  }

  /** Reads what `pattern` (sticky) matches here; empty when it does not. */
  match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? "";
    this.at += found.length;
    return found;
  }

  /** Everything up to `end`, which is read too; refuses when it does not come. */
  upTo(end: string, what: string): string {
    const found = this.text.indexOf(end, this.at);
    if (found < 0) refuse(`${what} is not closed`);
    const inside = this.text.slice(this.at, found);
    this.at = found + end.length;
    return inside;
  }
}
