import { backquoted, dollar, substitution } from "./expansion.ts";
import { ansiQuoted } from "./quotes.ts";
import { refuse, shown } from "./refused.ts";
import type { Source } from "./source.ts";
import {
  type Command,
  type Part,
  type Pipeline,
  type Program,
  type Redirection,
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

function doubleQuoted(source: Source, word: WordBuilder): void {
  word.quote();
  word.inQuotes = true;
  source.next();
  for (;;) {
    if (source.done) refuse('a quote (") is not closed');
    const one = source.peek();
    if (one === '"') break;
    if (one === "$") dollar(source, word, readProgram);
    else if (one === "`") backquoted(source, word, readProgram);
    else if (one === "\\") escaped(source, word, '$`"\\');
    else word.literal(source.next());
  }
  source.next();
  word.inQuotes = false;
}

/** Reads a backslash escape: outside quotes of any character, inside only of those in `special`. */
function escaped(source: Source, word: WordBuilder, special?: string): void {
  const before = source.peek(-1);
  source.next();
  if (source.done) refuse("a backslash stands at the end");
  const one = source.next();
  if (one === "\n") {
    // A shell joins the lines before parsing: `$` at the end and `(` at the next beginning would form a substitution.
    if (!BLANKS.includes(before) && !BLANKS.includes(source.peek())) refuse("a line ends within a word");
    return;
  }
  word.literal(special === undefined || special.includes(one) ? one : `\\${one}`);
  if (special === undefined) word.quoted = true;
}

/** Reads the next part of a word; returns false at the word's end. */
function part(source: Source, word: WordBuilder): boolean {
  const one = source.peek();
  switch (one) {
    case "'":
      word.quote();
      source.next();
      word.literal(source.upTo("'", "a quote (')"));
      return true;
    case '"':
      doubleQuoted(source, word);
      return true;
    case "\\":
      escaped(source, word);
      return true;
    case "`":
      backquoted(source, word, readProgram);
      return true;
    case "$":
      // dash supports neither `$'…'` nor `$"…"`, and ends `$'a\'` where bash continues.
      if (source.remote && /["']/.test(source.peek(1))) refuse(`$${source.peek(1)} is read by bash alone`);
      if (source.looksAt("$'")) {
        word.quote();
        source.at += 2;
        word.literal(ansiQuoted(source));
      } else if (source.looksAt('$"')) source.at += 1;
      else dollar(source, word, readProgram);
      return true;
    case "~":
      source.next();
      if (word.started) word.literal("~");
      else word.unknown("~", "path");
      return true;
    case "*":
    case "?":
    case "[":
      word.unknown(source.next(), "pattern", { splits: true });
      return true;
    case "<":
    case "{": {
      const placeholder = source.match(PLACEHOLDER);
      if (placeholder !== "") {
        word.unknown(placeholder, "placeholder", { splits: /\s/.test(placeholder) });
        return true;
      }
      if (one === "<" && !source.looksAt("<(")) return false;
      if (one === "{") word.bare(source.next());
      else {
        source.at += 2;
        substitution(source, word, source.at - 2, readProgram);
      }
      return true;
    }
    default:
      if (one === "" || ENDS_WORD.includes(one)) return false;
      word.bare(source.take("..") ? ".." : source.next());
      return true;
  }
}

const isAngle = (part: Part | undefined): boolean =>
  part?.origin === "placeholder" && part.text.startsWith("<");

/** Reads the next word; null when none begins here. */
function readWord(source: Source): Word | null {
  const word = new WordBuilder();
  while (part(source, word));
  return word.started ? word.build() : null;
}

/** A here-document whose body begins on the next line. */
type Awaited = { redirection: Redirection; end: string; strip: boolean };

function readHereDocument(source: Source, { redirection, end, strip }: Awaited): void {
  const lines: string[] = [];
  while (!source.done) {
    const [line = ""] = [source.match(/[^\n]*/y)];
    source.take("\n");
    const stripped = strip ? line.replace(/^\t+/, "") : line;
    if (stripped === end) break;
    lines.push(stripped);
  }
  const body = new WordBuilder();
  body.literal(lines.join("\n"));
  // If the delimiter is not quoted, the shell expands variables and substitutions in the body,
  // and joins its lines, so that the body may end elsewhere.
  if (!redirection.target.quoted && /[$`]|\\\n/.test(body.text)) {
    body.unknown("a here-document with variables", "chosen");
  }
  redirection.body = body.build();
}

class ProgramReader {
  readonly #source: Source;
  readonly #close: string;
  readonly #pipelines: Pipeline[] = [];
  #commands: Command[] = [];
  #command: Command = { assignments: [], words: [], redirections: [] };
  #awaited: Awaited[] = [];
  #comment = false;

  constructor(source: Source, close: string) {
    this.#source = source;
    this.#close = close;
  }

  read(): Program {
    const source = this.#source;
    for (;;) {
      source.match(BLANK);
      if (source.take("\\\n")) continue;
      if (source.done) {
        if (this.#close !== "") refuse("a substitution, $(, is not closed");
        break;
      }
      if (this.#close !== "" && source.take(this.#close)) break;
      this.#step();
    }
    this.#endPipeline("");
    return { pipelines: this.#pipelines, comment: this.#comment };
  }

  #step(): void {
    const source = this.#source;
    if (source.peek() === "#") {
      this.#comment = true;
      source.match(/[^\n]*/y);
      return;
    }
    if (source.peek() === "<" && this.#word()) return;
    const operator = source.match(REDIRECTION);
    if (operator !== "") {
      this.#redirection(operator);
      return;
    }
    const separator = source.match(SEPARATOR);
    if (separator !== "") {
      this.#separator(separator);
      return;
    }
    if ("()".includes(source.peek())) refuse(`${shown(source.peek())}: groups of commands are not read`);
    if (source.looksAt(">(")) refuse('">(" writes to another command');
    if (!this.#word()) refuse(`${shown(source.peek())} is not read`);
  }

  #word(): boolean {
    const word = readWord(this.#source);
    if (word === null) return false;
    const { words, assignments, redirections } = this.#command;
    const first = words.length === 0;
    const bare = word.quoted ? "" : word.text;
    if (first && redirections.length === 0 && assignments.length === 0 && RESERVED.has(bare)) {
      refuse(`${shown(bare)}: only simple commands, lists and pipes are read`);
    }
    // `<a> <b>` is a syntax error for a shell: it writes nothing.
    const behindAngle = isAngle(words.at(-1)?.parts.at(-1)) && !(word.head === "" && isAngle(word.parts[0]));
    if (first && ASSIGNMENT.test(word.head) && !/^["']/.test(word.text)) assignments.push(word);
    else words.push({ ...word, behindAngle });
    return true;
  }

  #redirection(operator: string): void {
    const source = this.#source;
    source.match(BLANK);
    const target = readWord(source);
    if (target === null) refuse(`${shown(operator)} names no file`);
    const redirection: Redirection = { operator, target, body: null };
    this.#command.redirections.push(redirection);
    const here = /<<-?$/.exec(operator)?.[0];
    if (here !== undefined) {
      if (this.#close !== "") refuse("a here-document in a substitution is not read");
      if (target.parts.length > 0) refuse(`${shown(target.text)} is no end of a here-document that is read`);
      this.#awaited.push({ redirection, end: target.text, strip: here === "<<-" });
    }
  }

  #separator(separator: string): void {
    if (separator === ";;") refuse('";;" belongs to a case');
    const empty = this.#command.words.length + this.#command.redirections.length === 0;
    if (separator === "\n") {
      if (!empty || this.#command.assignments.length > 0) this.#endPipeline("\n");
      for (const one of this.#awaited.splice(0)) readHereDocument(this.#source, one);
      return;
    }
    if (empty && this.#command.assignments.length === 0) {
      refuse(`no command stands before ${shown(separator)}`);
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
    else if (this.#commands.length > 0) refuse("no command stands behind the last pipe");
    if (this.#commands.length > 0) this.#pipelines.push({ commands: this.#commands, end });
    this.#commands = [];
  }
}

/** Parses commands up to and including `close`, or to the end of the text when `close` is empty. */
export function readProgram(source: Source, close: string): Program {
  return new ProgramReader(source, close).read();
}
