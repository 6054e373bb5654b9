import { refuse } from "./refused.ts";

/** Maximum nesting of substitutions: deeper ones are unreadable for people. */
const MAX_DEPTH = 8;

/** A text with the position up to which it has been read. */
export class TextCursor {
  readonly text: string;
  readonly depth: number;
  /** Whether a host's shell reads the text, which may not be bash. */
  readonly remote: boolean;
  at = 0;

  constructor(text: string, { depth = 0, remote = false } = {}) {
    if (depth > MAX_DEPTH) refuse(`substitutions are nested more than ${MAX_DEPTH} deep`);
    this.text = text;
    this.depth = depth;
    this.remote = remote;
  }

  /** Returns a cursor for a substitution inside this one, one level deeper. */
  within(text: string): TextCursor {
    return new TextCursor(text, { depth: this.depth + 1, remote: this.remote });
  }

  get done(): boolean {
    return this.at >= this.text.length;
  }

  /** Returns the next character, or the one `ahead` of it; empty at the end. */
  peek(ahead = 0): string {
    return this.text[this.at + ahead] ?? "";
  }

  next(): string {
    const one = this.peek();
    this.at += 1;
    return one;
  }

  startsWith(text: string): boolean {
    return this.text.startsWith(text, this.at);
  }

  /** Consumes `text` if it comes next. */
  take(text: string): boolean {
    if (!this.startsWith(text)) return false;
    this.at += text.length;
    return true;
  }

  /** Consumes what `pattern` (sticky) matches here; empty when it does not match. */
  match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? "";
    this.at += found.length;
    return found;
  }

  /** Reads everything up to `end`, and consumes `end`; refuses when it does not come. */
  upTo(end: string, what: string): string {
    const found = this.text.indexOf(end, this.at);
    if (found < 0) refuse(`${what} is not closed`);
    const inside = this.text.slice(this.at, found);
    this.at = found + end.length;
    return inside;
  }
}
