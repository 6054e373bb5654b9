/** Extracts what classification rules match on: the words of a name, the metrics of an expression. Pure. */

// Most characters looked at: hostile texts may be a mebibyte long, and what an alert is about stands at the beginning.
const MOST_NAME = 300;
const MOST_EXPR = 4_000;
const MOST_TEXT = 1_000;

// A word shorter than this must end where a part of the name does: `tempo` matches TempoDown, but not Temporary.
const LONG_ENOUGH_TO_GO_ON = 6;

/**
 * A name in lower case, split into parts: at camel case, after digits, and at every other character. `starts` are the indexes in
 * `text` at which a part begins, and its length.
 */
export type NameWords = { text: string; starts: ReadonlySet<number> };

export function nameWords(name: string): NameWords {
  const parts = name.slice(0, MOST_NAME).match(/[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*|\d+[a-z]*/g) ?? [];
  const starts = new Set<number>([0]);
  let length = 0;
  for (const part of parts) {
    length += part.length;
    starts.add(length);
  }
  return { text: parts.join("").toLowerCase(), starts };
}

const endsWell = ({ starts }: NameWords, end: number, word: string) =>
  word.length >= LONG_ENOUGH_TO_GO_ON || starts.has(end);

/** Returns whether `word` (lower-case letters and digits) begins where a part of the name does; a short one must end so too. */
export function hasWord(words: NameWords, word: string): boolean {
  const { text, starts } = words;
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (starts.has(at) && endsWell(words, at + word.length, word)) return true;
  }
  return false;
}

export function beginsWith(words: NameWords, word: string): boolean {
  return words.text.startsWith(word) && endsWell(words, word.length, word);
}

/** Returns the words of a human-readable text, in lower case. */
export function textWords(text: string): ReadonlySet<string> {
  return new Set(
    text
      .slice(0, MOST_TEXT)
      .toLowerCase()
      .match(/[a-z0-9]+/g) ?? [],
  );
}

// An unclosed string or brace extends to the end, so that no text makes these expressions backtrack over the same place.
const STRINGS = /"(?:[^"\\]|\\.)*(?:"|\\?$)|'(?:[^'\\]|\\.)*(?:'|\\?$)|`[^`]*(?:`|$)/gs;
const LABELS = /\{[^{}]*(?:\}|$)|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*(?:\)|$)/g;

/** Returns the names of metrics in a PromQL expression; of a recording rule's name every part between its colons. */
export function metricsOf(expr: string): string[] {
  const bare = expr.slice(0, MOST_EXPR).replace(STRINGS, "").replace(LABELS, " ");
  return bare.match(/[A-Za-z_][A-Za-z0-9_]*/g) ?? [];
}

/** Returns the expression in Prometheus' generator link of an alert; undefined where there is none. */
export function exprOfLink(link: string | null): string | undefined {
  const query = link?.slice(0, 3 * MOST_EXPR).split("?", 2)[1];
  return query === undefined ? undefined : (new URLSearchParams(query).get("g0.expr") ?? undefined);
}
