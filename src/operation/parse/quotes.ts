import { refuse } from "./refused.ts";
import type { TextCursor } from "./text-cursor.ts";

const SIMPLE: Record<string, string> = {
  a: "\x07",
  b: "\b",
  e: "\x1b",
  E: "\x1b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
  "?": "?",
};

function coded(digits: string, radix: number): string {
  const point = Number.parseInt(digits, radix);
  if (point === 0 || point > 0x10ffff) refuse("an escape in $'…' names no character");
  return String.fromCodePoint(point);
}

/** Reads the rest of `$'…'` after its opening quote, decoding escapes. */
export function ansiQuoted(cursor: TextCursor): string {
  let text = "";
  for (;;) {
    if (cursor.done) refuse("a quote ($') is not closed");
    const one = cursor.next();
    if (one === "'") return text;
    if (one !== "\\") {
      text += one;
      continue;
    }
    const octal = cursor.match(/[0-7]{1,3}/y);
    if (octal !== "") {
      text += coded(octal, 8);
      continue;
    }
    const hex = cursor.match(/x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{1,4}|U[0-9a-fA-F]{1,8}/y);
    if (hex !== "") {
      text += coded(hex.slice(1), 16);
      continue;
    }
    const letter = cursor.next();
    // bash continues here, while dash ends the quote.
    if (letter === "'") refuse("an escaped quote in $'…' is understood differently by other shells");
    if (letter === "c") refuse("a control character (\\c) in $'…' is not supported");
    text += SIMPLE[letter] ?? `\\${letter}`;
  }
}
