import { withDigits } from "./look-alike.ts";

/**
 * Compares names for a reader who takes digits and signs for letters (`ad4`, `5am`, `$am`) and two letters for one
 * (`cl` for `d`). As a sign may stand for several letters, two names are walked in parallel instead of being folded into
 * one form each. Two digits are never read as the same letter: `team6` is not `team8`.
 */

// The letters that a digit or sign may be read as.
const READS: Record<string, string> = {
  ...{
    "0": "o",
    "1": "il",
    "2": "z",
    "3": "e",
    "4": "a",
    "5": "s",
    "6": "bg",
    "7": "t",
    "8": "b",
    "9": "gq",
  },
  ...{ "@": "a", "!": "il", "¡": "il", $: "s", "€": "e", "£": "l", "¥": "y", "¢": "c", "+": "t" },
};
const PAIRS = [
  ["r", "n", "m"],
  ["v", "v", "w"],
  ["c", "l", "d"],
] as const;

/** A character: `as` is it in lower case, a blank for a separator between words; `reads` the letters that it may be read as. */
type Character = { as: string; reads: string };
type Characters = readonly Character[];

const BETWEEN = " ";

function characterOf(one: string): Character {
  if (one === "I") return { as: "i", reads: "l" };
  if (one === "|") return { as: "l", reads: "i" };
  const as = /[\p{L}\p{N}]/u.test(one) ? one.toLowerCase() : BETWEEN;
  return { as, reads: READS[one] ?? "" };
}

const isBetween = ({ as }: Character) => as === BETWEEN;
const isPlain = (sign: Character) => isBetween(sign) && sign.reads === "";

/** Prepares a name for {@link readAlike}: each case that it may be written in, without separators at its ends. */
export function readAlikeForms(name: string): Characters[] {
  return withDigits(name).map((form) => {
    const signs = [...form].map(characterOf);
    const from = signs.findIndex((one) => !isPlain(one));
    return from < 0 ? [] : signs.slice(from, signs.findLastIndex((one) => !isPlain(one)) + 1);
  });
}

export type ReadAlikeOptions = {
  /** Ignore separators between words. */
  joined?: boolean;
  /** Let a letter that is repeated in a row stand for one. */
  once?: boolean;
  /** Ask only whether the one begins with the other. */
  begins?: boolean;
};

const isRead = (sign: Character, letter: string) => sign.as === letter || sign.reads.includes(letter);
const fits = (one: Character, other: Character) => isRead(one, other.as) || isRead(other, one.as);

/** Yields each character that may be read at `at`, with the position after it. */
function* stepsFrom(
  text: Characters,
  at: number,
  { once }: ReadAlikeOptions,
): Generator<[Character, number]> {
  const [sign, next] = [text[at], text[at + 1]];
  if (sign === undefined) return;
  yield [sign, at + 1];
  if (next === undefined) return;
  for (const [first, second, letter] of PAIRS)
    if (isRead(sign, first) && isRead(next, second)) yield [{ as: letter, reads: "" }, at + 2];
  if (once !== true && !isBetween(sign)) return;
  for (let end = at + 1; ; end++) {
    const also = text[end];
    if (also === undefined || !fits(sign, also)) return;
    yield [sign, end + 1];
  }
}

/** Returns whether `text` may be read as `other`, or, with `begins`, as beginning with it. */
function isReadAs(text: Characters, other: Characters, how: ReadAlikeOptions): boolean {
  const tried = new Set<number>();
  const isOver = (all: Characters, at: number) => all.slice(at).every(isBetween);
  const from = (at: number, there: number): boolean => {
    const pair = at * (other.length + 1) + there;
    if (tried.has(pair)) return false;
    tried.add(pair);
    if (isOver(other, there) && (how.begins === true || isOver(text, at))) return true;
    const [one, two] = [text[at], other[there]];
    const skips = how.joined === true || at + there === 0;
    if (skips && one !== undefined && isBetween(one) && from(at + 1, there)) return true;
    if (skips && two !== undefined && isBetween(two) && from(at, there + 1)) return true;
    for (const [sign, behind] of stepsFrom(text, at, how))
      for (const [also, after] of stepsFrom(other, there, how))
        if (fits(sign, also) && from(behind, after)) return true;
    return false;
  };
  return from(0, 0);
}

/** Returns whether one of `these` may be read as one of `those`. Pure. */
export const readAlike = (
  these: readonly Characters[],
  those: readonly Characters[],
  how: ReadAlikeOptions = {},
): boolean => these.some((one) => those.some((other) => isReadAs(one, other, how)));
