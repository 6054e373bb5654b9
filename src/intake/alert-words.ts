/** What a classification rule looks at: the words of a name, the metrics of an expression. Pure. */

// Hostile texts may be a mebibyte; what an alert is about stands at the beginning.
const MOST_NAME = 300;
const MOST_EXPR = 4_000;
const MOST_TEXT = 1_000;

// A shorter word must end where a word of the name does: `tempo` is in TempoDown, not in Temporary.
const LONG_ENOUGH_TO_GO_ON = 6;

/**
 * A name in lower case, cut where it changes: at camel case, digits' ends and everything that is no letter
 * or digit. `starts` are the places in `text` at which a part begins, its length included.
 */
export type Words = { text: string; starts: ReadonlySet<number> };

export function wordsOf(name: string): Words {
  const parts = name.slice(0, MOST_NAME).match(/[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*|\d+[a-z]*/g) ?? [];
  const starts = new Set<number>([0]);
  let length = 0;
  for (const part of parts) {
    length += part.length;
    starts.add(length);
  }
  return { text: parts.join("").toLowerCase(), starts };
}

const endsWell = ({ starts }: Words, end: number, word: string) =>
  word.length >= LONG_ENOUGH_TO_GO_ON || starts.has(end);

/** Whether `word` (lower case letters and digits) begins where a part of the name does, and ends so if it is short. */
export function hasWord(words: Words, word: string): boolean {
  const { text, starts } = words;
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (starts.has(at) && endsWell(words, at + word.length, word)) return true;
  }
  return false;
}

export function beginsWith(words: Words, word: string): boolean {
  return words.text.startsWith(word) && endsWell(words, word.length, word);
}

/** The words of a text for people, in lower case. */
export function textWords(text: string): ReadonlySet<string> {
  return new Set(
    text
      .slice(0, MOST_TEXT)
      .toLowerCase()
      .match(/[a-z0-9]+/g) ?? [],
  );
}

// What is not closed goes on to the end: no text makes these look twice at the same place.
const STRINGS = /"(?:[^"\\]|\\.)*(?:"|\\?$)|'(?:[^'\\]|\\.)*(?:'|\\?$)|`[^`]*(?:`|$)/gs;
const LABELS = /\{[^{}]*(?:\}|$)|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*(?:\)|$)/g;

/** Names of metrics in a PromQL expression; of a recording rule's name every part between its colons. */
export function metricsOf(expr: string): string[] {
  const bare = expr.slice(0, MOST_EXPR).replace(STRINGS, "").replace(LABELS, " ");
  return bare.match(/[A-Za-z_][A-Za-z0-9_]*/g) ?? [];
}

/** The expression in the link that Prometheus gives with an alert; undefined where there is none. */
export function exprOfLink(link: string | null): string | undefined {
  const query = link?.slice(0, 3 * MOST_EXPR).split("?", 2)[1];
  return query === undefined ? undefined : (new URLSearchParams(query).get("g0.expr") ?? undefined);
}
