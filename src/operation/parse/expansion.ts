import { refuse } from "./refused.ts";
import { Source } from "./source.ts";
import type { Program, WordBuilder } from "./word.ts";

/** The reader of whole programs, which reads words and so needs this file itself. */
export type ReadProgram = (source: Source, close: string) => Program;

const VARIABLE = /[A-Za-z_]\w*|[0-9@*#?$!-]/y;

/** What stands between `${` and its `}`. A substitution in there would run: such a text is refused. */
function braced(source: Source): string {
  const inside = source.upTo("}", "${");
  // `=` sets it, and `@` behind a name makes more of what it holds.
  if (/[`'"\\{=]|\$\(|@(?!\])/.test(inside)) refuse(`\${${inside}} holds more than a variable`);
  return inside;
}

/** The commands between a substitution's opening and its `)`. */
export function substitution(source: Source, word: WordBuilder, from: number, read: ReadProgram): void {
  const inner = new Source(source.text, source.depth + 1);
  inner.at = source.at;
  word.inner.push(read(inner, ")"));
  source.at = inner.at;
  word.unknown(source.text.slice(from, source.at));
}

/** Reads what begins with `$`, which is the next character, into the word; `$'…'` belongs to its caller. */
export function dollar(source: Source, word: WordBuilder, read: ReadProgram): void {
  const from = source.at;
  source.next();
  if (source.looksAt("((")) refuse("arithmetic ($((…)) is not read");
  if (source.take("(")) substitution(source, word, from, read);
  else if (source.take("{")) {
    braced(source);
    word.unknown(source.text.slice(from, source.at));
  } else {
    const name = source.match(VARIABLE);
    if (name === "") word.literal("$");
    else word.unknown(`$${name}`);
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
    // A backslash stands for itself here, except before these.
    inside += one === "\\" && "`\\$".includes(source.peek()) ? source.next() : one;
  }
  word.inner.push(read(new Source(inside, source.depth + 1), ""));
  word.unknown(source.text.slice(from, source.at));
}
