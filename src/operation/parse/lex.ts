import { backquoted, dollar, substitution } from "./expansion.ts";
import { ansiQuoted } from "./quotes.ts";
import { excerpt, refuse } from "./refused.ts";
import type { TextCursor } from "./text-cursor.ts";
import {
  type Command,
  type Pipeline,
  type Program,
  type Redirection,
  type UnknownPart,
  type Word,
  WordBuilder,
} from "./word.ts";

const BLANK = /[ \t]+/y;
// Placeholders as in documentation: <pod-name>, {{ namespace }}, {% if x %}, {pod}. Angles must hold no blank and be
// followed by a blank or the end: a shell reads `<in>out` and `<in>|out` as two files, and `<x y>` as one word more.
const PLACEHOLDER =
  /<[A-Za-z][\w.:-]{0,60}>(?=[ \t\n;)]|$)|\{\{[ \t]?[A-Za-z_][\w-]*(?:\.[\w-]+)*[ \t]?\}\}|\{%-?[ \t](?:[\w.]+[ \t]|[!=]=[ \t]){1,9}-?%\}|\{[A-Za-z][\w-]{0,60}\}/y;
const REDIRECTION = /(?:\d{1,4})?(?:<<<|<<-|<<|<>|<&|>>|>&|>\||<(?!\()|>(?!\())|&>>|&>/y;
const SEPARATOR = /&&|\|\||;;|\|&|[;&|\n]/y;
const RESERVED = new Set(
  "if then else elif fi for while until do done case esac select function time coproc { } ! [[ ]]".split(" "),
);
const ASSIGNMENT = /^[A-Za-z_]\w*(\[[^\]]*\])?\+?=/;
const BLANKS = " \t\n";
// Characters that end an unquoted word.
const ENDS_WORD = " \t\n;&|<>()";

function doubleQuoted(cursor: TextCursor, word: WordBuilder): void {
  word.quote();
  word.inQuotes = true;
  cursor.next();
  for (;;) {
    if (cursor.done) refuse('a quote (") is not closed');
    const one = cursor.peek();
    if (one === '"') break;
    if (one === "$") dollar(cursor, word, readProgram);
    else if (one === "`") backquoted(cursor, word, readProgram);
    else if (one === "\\") escaped(cursor, word, '$`"\\');
    else word.literal(cursor.next());
  }
  cursor.next();
  word.inQuotes = false;
}

/** Reads a backslash escape: outside quotes of any character, inside only of those in `special`. */
function escaped(cursor: TextCursor, word: WordBuilder, special?: string): void {
  const before = cursor.peek(-1);
  cursor.next();
  if (cursor.done) refuse("the text ends with a backslash");
  const one = cursor.next();
  if (one === "\n") {
    // A shell joins the lines before parsing: `$` at the end and `(` at the next beginning would form a substitution.
    if (!BLANKS.includes(before) && !BLANKS.includes(cursor.peek()))
      refuse("a line continuation splits a word");
    return;
  }
  word.literal(special === undefined || special.includes(one) ? one : `\\${one}`);
  if (special === undefined) word.quoted = true;
}

/** Reads the next part of a word; returns false at the word's end. */
function readPart(cursor: TextCursor, word: WordBuilder): boolean {
  const one = cursor.peek();
  switch (one) {
    case "'":
      word.quote();
      cursor.next();
      word.literal(cursor.upTo("'", "a quote (')"));
      return true;
    case '"':
      doubleQuoted(cursor, word);
      return true;
    case "\\":
      escaped(cursor, word);
      return true;
    case "`":
      backquoted(cursor, word, readProgram);
      return true;
    case "$":
      // dash supports neither `$'…'` nor `$"…"`, and ends `$'a\'` where bash continues.
      if (cursor.remote && /["']/.test(cursor.peek(1)))
        refuse(`$${cursor.peek(1)} is understood only by bash`);
      if (cursor.startsWith("$'")) {
        word.quote();
        cursor.at += 2;
        word.literal(ansiQuoted(cursor));
      } else if (cursor.startsWith('$"')) cursor.at += 1;
      else dollar(cursor, word, readProgram);
      return true;
    case "~":
      cursor.next();
      // bash also expands it in a word that looks like an assignment: `b=~`, `b=/x:~`.
      if (!word.started || (ASSIGNMENT.test(word.text) && /[=:]$/.test(word.text))) word.unknown("~", "path");
      else word.literal("~");
      return true;
    case "*":
    case "?":
    case "[":
      word.unknown(cursor.next(), "pattern", { splits: true });
      return true;
    case "<":
    case "{": {
      const placeholder = cursor.match(PLACEHOLDER);
      if (placeholder !== "") {
        word.unknown(placeholder, "placeholder", { splits: /\s/.test(placeholder) });
        return true;
      }
      if (one === "<" && !cursor.startsWith("<(")) return false;
      if (one === "{") word.bare(cursor.next());
      else {
        cursor.at += 2;
        substitution(cursor, word, cursor.at - 2, readProgram);
      }
      return true;
    }
    default:
      if (one === "" || ENDS_WORD.includes(one)) return false;
      word.bare(cursor.take("..") ? ".." : cursor.next());
      return true;
  }
}

const isAngle = (part: UnknownPart | undefined): boolean =>
  part?.origin === "placeholder" && part.text.startsWith("<");

/** Reads the next word; null when none begins here. */
function readWord(cursor: TextCursor): Word | null {
  const word = new WordBuilder();
  while (readPart(cursor, word));
  return word.started ? word.build() : null;
}

/** A here-document whose body begins on the next line. */
type PendingHereDocument = { redirection: Redirection; end: string; strip: boolean };

function readHereDocument(cursor: TextCursor, { redirection, end, strip }: PendingHereDocument): void {
  const lines: string[] = [];
  while (!cursor.done) {
    const [line = ""] = [cursor.match(/[^\n]*/y)];
    cursor.take("\n");
    const stripped = strip ? line.replace(/^\t+/, "") : line;
    if (stripped === end) break;
    lines.push(stripped);
  }
  const body = new WordBuilder();
  body.literal(lines.join("\n"));
  // If the delimiter is not quoted, the shell expands variables and substitutions in the body,
  // and joins its lines, so that the body may end elsewhere.
  if (!redirection.target.quoted && /[$`]|\\\n/.test(body.text)) {
    body.unknown("a here-document with variables", "computed");
  }
  redirection.body = body.build();
}

class ProgramReader {
  readonly #cursor: TextCursor;
  readonly #close: string;
  readonly #pipelines: Pipeline[] = [];
  #commands: Command[] = [];
  #command: Command = { assignments: [], words: [], redirections: [] };
  #pending: PendingHereDocument[] = [];
  #comment = false;

  constructor(cursor: TextCursor, close: string) {
    this.#cursor = cursor;
    this.#close = close;
  }

  read(): Program {
    const cursor = this.#cursor;
    for (;;) {
      cursor.match(BLANK);
      if (cursor.take("\\\n")) continue;
      if (cursor.done) {
        if (this.#close !== "") refuse("a substitution, $(, is not closed");
        break;
      }
      if (this.#close !== "" && cursor.take(this.#close)) break;
      this.#step();
    }
    this.#endPipeline("");
    return { pipelines: this.#pipelines, comment: this.#comment };
  }

  #step(): void {
    const cursor = this.#cursor;
    if (cursor.peek() === "#") {
      this.#comment = true;
      cursor.match(/[^\n]*/y);
      return;
    }
    if (cursor.peek() === "<" && this.#word()) return;
    const operator = cursor.match(REDIRECTION);
    if (operator !== "") {
      this.#redirection(operator);
      return;
    }
    const separator = cursor.match(SEPARATOR);
    if (separator !== "") {
      this.#separator(separator);
      return;
    }
    if ("()".includes(cursor.peek()))
      refuse(`${excerpt(cursor.peek())}: groups of commands are not supported`);
    if (cursor.startsWith(">(")) refuse('">(" writes to another command');
    if (!this.#word()) refuse(`${excerpt(cursor.peek())} is not supported`);
  }

  #word(): boolean {
    const word = readWord(this.#cursor);
    if (word === null) return false;
    const { words, assignments, redirections } = this.#command;
    const first = words.length === 0;
    const bare = word.quoted ? "" : word.text;
    if (first && redirections.length === 0 && assignments.length === 0 && RESERVED.has(bare)) {
      refuse(`${excerpt(bare)}: only simple commands, lists and pipes are supported`);
    }
    // `<a> <b>` is a syntax error for a shell: it writes nothing.
    const afterAngle = isAngle(words.at(-1)?.parts.at(-1)) && !(word.head === "" && isAngle(word.parts[0]));
    if (first && ASSIGNMENT.test(word.head) && !/^["']/.test(word.text)) assignments.push(word);
    else words.push({ ...word, afterAngle });
    return true;
  }

  #redirection(operator: string): void {
    const cursor = this.#cursor;
    cursor.match(BLANK);
    const target = readWord(cursor);
    if (target === null) refuse(`${excerpt(operator)} names no file`);
    const redirection: Redirection = { operator, target, body: null };
    this.#command.redirections.push(redirection);
    // `<<<` is a here-string, which has no body.
    const here = /(?<!<)<<-?$/.exec(operator)?.[0];
    if (here !== undefined) {
      if (this.#close !== "") refuse("a here-document in a substitution is not supported");
      if (target.parts.length > 0) refuse(`${excerpt(target.text)} cannot end a here-document`);
      this.#pending.push({ redirection, end: target.text, strip: here === "<<-" });
    }
  }

  #separator(separator: string): void {
    if (separator === ";;") refuse('";;" belongs to a case statement');
    const empty = this.#command.words.length + this.#command.redirections.length === 0;
    if (separator === "\n") {
      if (!empty || this.#command.assignments.length > 0) this.#endPipeline("\n");
      for (const one of this.#pending.splice(0)) readHereDocument(this.#cursor, one);
      return;
    }
    if (empty && this.#command.assignments.length === 0) {
      refuse(`there is no command before ${excerpt(separator)}`);
    }
    if (separator === "|" || separator === "|&") this.#endCommand();
    else this.#endPipeline(separator);
  }

  #endCommand(): void {
    this.#commands.push(this.#command);
    this.#command = { assignments: [], words: [], redirections: [] };
  }

  #endPipeline(end: string): void {
    const { words, assignments, redirections } = this.#command;
    if (words.length + assignments.length + redirections.length > 0) this.#endCommand();
    else if (this.#commands.length > 0) refuse("there is no command after the last pipe");
    if (this.#commands.length > 0) this.#pipelines.push({ commands: this.#commands, end });
    this.#commands = [];
  }
}

/** Parses commands up to and including `close`, or to the end of the text when `close` is empty. */
export function readProgram(cursor: TextCursor, close: string): Program {
  return new ProgramReader(cursor, close).read();
}
