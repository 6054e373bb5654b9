import { excerpt, refuse } from "./refused.ts";
import type { TextCursor } from "./text-cursor.ts";
import type { Origin, Program, WordBuilder } from "./word.ts";

/** The parser of whole programs, passed in because it depends on this file. */
export type ReadProgram = (cursor: TextCursor, close: string) => Program;

const VARIABLE = /[A-Za-z_]\w*|[0-9@*#?$!-]/y;

// Variables that the shell sets from the text itself, or that hold blanks, which split words.
const SET_BY_TEXT = /^(_|IFS|PS\d|BASH_\w+|HIST\w+|TIMEFORMAT)$/;
const PLAIN = /^#?([A-Za-z_]\w*|[0-9@*#?$!-]+)(\[[\w@*]*\])?$/;

/** Reads the content of `${…}`. Refuses a substitution in it, which would run. */
function braced(cursor: TextCursor): string {
  const inside = cursor.upTo("}", "${");
  // `=` assigns the variable, `@` after a name transforms its value, and `!` before one reads another variable.
  if (/[`'"\\{=]|\$\(|@(?!\])|^!./.test(inside))
    refuse(`${excerpt(`\${${inside}}`)} is more than a plain variable`);
  return inside;
}

/** Returns who chooses a variable's value: the environment, or the text if it is set by it or has an operator. */
function originOf(variable: string): Origin {
  const name = PLAIN.exec(variable)?.[1];
  return name === undefined || SET_BY_TEXT.test(name) ? "computed" : "variable";
}

/** Adds a variable, written as `text`, to the word. `$@` and `${X[@]}` split into several words even in quotes. */
function variable(word: WordBuilder, text: string, inside: string): void {
  word.unknown(text, originOf(inside), { splits: !word.inQuotes || inside.includes("@") });
}

/** Reads the commands of a substitution, up to its `)`, into the word. */
export function substitution(cursor: TextCursor, word: WordBuilder, from: number, read: ReadProgram): void {
  const inner = cursor.within(cursor.text);
  inner.at = cursor.at;
  const program = read(inner, ")");
  cursor.at = inner.at;
  const text = cursor.text.slice(from, cursor.at);
  // `<(…)` becomes a file name.
  if (text.startsWith("<")) word.unknown(text, "path", { program });
  else word.unknown(text, "computed", { splits: !word.inQuotes, program });
}

/** Reads an expansion into the word; the next character is `$`. The caller handles `$'…'`. */
export function dollar(cursor: TextCursor, word: WordBuilder, read: ReadProgram): void {
  const from = cursor.at;
  cursor.next();
  if (cursor.startsWith("((") || cursor.startsWith("[")) refuse("arithmetic ($((…)) is not supported");
  if (cursor.take("(")) substitution(cursor, word, from, read);
  else if (cursor.take("{")) {
    const inside = braced(cursor);
    variable(word, cursor.text.slice(from, cursor.at), inside);
  } else {
    const name = cursor.match(VARIABLE);
    if (name === "") word.literal("$");
    else variable(word, `$${name}`, name);
  }
}

/** Reads a substitution in backquotes into the word. */
export function backquoted(cursor: TextCursor, word: WordBuilder, read: ReadProgram): void {
  const from = cursor.at;
  cursor.next();
  let inside = "";
  for (;;) {
    if (cursor.done) refuse("a substitution (`) is not closed");
    const one = cursor.next();
    if (one === "`") break;
    // In backquotes a backslash is literal, except before `, \ and $, and in double quotes before a quote.
    if (word.inQuotes && one === "\\" && cursor.peek() === '"')
      refuse('an escaped quote (\\") in backquotes between quotes is not supported');
    inside += one === "\\" && "`\\$".includes(cursor.peek()) ? cursor.next() : one;
  }
  const program = read(cursor.within(inside), "");
  word.unknown(cursor.text.slice(from, cursor.at), "computed", { splits: !word.inQuotes, program });
}
