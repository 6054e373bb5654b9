import { refuse } from "./refused.ts";
import type { Source } from "./source.ts";
import type { Origin, Program, WordBuilder } from "./word.ts";

/** The reader of whole programs, which reads words and so needs this file itself. */
export type ReadProgram = (source: Source, close: string) => Program;

const VARIABLE = /[A-Za-z_]\w*|[0-9@*#?$!-]/y;

// What the shell sets from the text itself, or to blanks, so that words behind it are words of their own.
const SET_BY_TEXT = /^(_|IFS|PS\d|BASH_\w+|HIST\w+|TIMEFORMAT)$/;
const PLAIN = /^#?([A-Za-z_]\w*|[0-9@*#?$!-]+)(\[[\w@*]*\])?$/;

/** What stands between `${` and its `}`. A substitution in there would run: such a text is refused. */
function braced(source: Source): string {
  const inside = source.upTo("}", "${");
  // `=` sets it, `@` behind a name makes more of what it holds, and `!` before one shows another.
  if (/[`'"\\{=]|\$\(|@(?!\])|^!./.test(inside)) refuse(`\${${inside}} holds more than a variable`);
  return inside;
}

/** Whether a variable holds what the environment says; what has an operator in it holds what the text says. */
function originOf(variable: string): Origin {
  const name = PLAIN.exec(variable)?.[1];
  return name === undefined || SET_BY_TEXT.test(name) ? "chosen" : "variable";
}

/** A variable by what stands in its braces, written as `text`. `$@` and `${X[@]}` are several words, also in quotes. */
function variable(word: WordBuilder, text: string, inside: string): void {
  word.unknown(text, originOf(inside), { splits: !word.inQuotes || inside.includes("@") });
}

/** The commands between a substitution's opening and its `)`. */
export function substitution(source: Source, word: WordBuilder, from: number, read: ReadProgram): void {
  const inner = source.within(source.text);
  inner.at = source.at;
  const program = read(inner, ")");
  source.at = inner.at;
  const text = source.text.slice(from, source.at);
  // `<(…)` is the name of a file.
  if (text.startsWith("<")) word.unknown(text, "path", { program });
  else word.unknown(text, "chosen", { splits: !word.inQuotes, program });
}

/** Reads what begins with `$`, which is the next character, into the word; `$'…'` belongs to its caller. */
export function dollar(source: Source, word: WordBuilder, read: ReadProgram): void {
  const from = source.at;
  source.next();
  if (source.looksAt("((") || source.looksAt("[")) refuse("arithmetic ($((…)) is not read");
  if (source.take("(")) substitution(source, word, from, read);
  else if (source.take("{")) {
    const inside = braced(source);
    variable(word, source.text.slice(from, source.at), inside);
  } else {
    const name = source.match(VARIABLE);
    if (name === "") word.literal("$");
    else variable(word, `$${name}`, name);
  }
}

/** Reads the older form of a substitution, between backquotes. */
export function backquoted(source: Source, word: WordBuilder, read: ReadProgram): void {
  const from = source.at;
  source.next();
  let inside = "";
  for (;;) {
    if (source.done) refuse("a substitution (`) is not closed");
    const one = source.next();
    if (one === "`") break;
    // A backslash stands for itself here, except before these, and between quotes before a quote.
    if (word.inQuotes && one === "\\" && source.peek() === '"') refuse('\\" stands in `…` between quotes');
    inside += one === "\\" && "`\\$".includes(source.peek()) ? source.next() : one;
  }
  const program = read(source.within(inside), "");
  word.unknown(source.text.slice(from, source.at), "chosen", { splits: !word.inQuotes, program });
}
