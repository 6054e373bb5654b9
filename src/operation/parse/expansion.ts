import { refuse } from "./refused.ts";
import type { Source } from "./source.ts";
import type { Origin, Program, WordBuilder } from "./word.ts";

/** The parser of whole programs, passed in because it depends on this file. */
export type ReadProgram = (source: Source, close: string) => Program;

const VARIABLE = /[A-Za-z_]\w*|[0-9@*#?$!-]/y;

// Variables that the shell sets from the text itself, or that hold blanks, which split words.
const SET_BY_TEXT = /^(_|IFS|PS\d|BASH_\w+|HIST\w+|TIMEFORMAT)$/;
const PLAIN = /^#?([A-Za-z_]\w*|[0-9@*#?$!-]+)(\[[\w@*]*\])?$/;

/** Reads the content of `${…}`. Refuses a substitution in it, which would run. */
function braced(source: Source): string {
  const inside = source.upTo("}", "${");
  // `=` assigns the variable, `@` after a name transforms its value, and `!` before one reads another variable.
  if (/[`'"\\{=]|\$\(|@(?!\])|^!./.test(inside)) refuse(`\${${inside}} holds more than a variable`);
  return inside;
}

/** Returns who chooses a variable's value: the environment, or the text if it is set by it or has an operator. */
function originOf(variable: string): Origin {
  const name = PLAIN.exec(variable)?.[1];
  return name === undefined || SET_BY_TEXT.test(name) ? "chosen" : "variable";
}

/** Adds a variable, written as `text`, to the word. `$@` and `${X[@]}` split into several words even in quotes. */
function variable(word: WordBuilder, text: string, inside: string): void {
  word.unknown(text, originOf(inside), { splits: !word.inQuotes || inside.includes("@") });
}

/** Reads the commands of a substitution, up to its `)`, into the word. */
export function substitution(source: Source, word: WordBuilder, from: number, read: ReadProgram): void {
  const inner = source.within(source.text);
  inner.at = source.at;
  const program = read(inner, ")");
  source.at = inner.at;
  const text = source.text.slice(from, source.at);
  // `<(…)` becomes a file name.
  if (text.startsWith("<")) word.unknown(text, "path", { program });
  else word.unknown(text, "chosen", { splits: !word.inQuotes, program });
}

/** Reads an expansion into the word; the next character is `$`. The caller handles `$'…'`. */
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

/** Reads a substitution in backquotes into the word. */
export function backquoted(source: Source, word: WordBuilder, read: ReadProgram): void {
  const from = source.at;
  source.next();
  let inside = "";
  for (;;) {
    if (source.done) refuse("a substitution (`) is not closed");
    const one = source.next();
    if (one === "`") break;
    // In backquotes a backslash is literal, except before `, \ and $, and in double quotes before a quote.
    if (word.inQuotes && one === "\\" && source.peek() === '"') refuse('\\" stands in `…` between quotes');
    inside += one === "\\" && "`\\$".includes(source.peek()) ? source.next() : one;
  }
  const program = read(source.within(inside), "");
  word.unknown(source.text.slice(from, source.at), "chosen", { splits: !word.inQuotes, program });
}
