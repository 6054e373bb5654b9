import unhomoglyph from "unhomoglyph";
import { EAST_ASIAN_LOOKS, LOOKS } from "./look-alike-tables.ts";

/**
 * Compares names by how they look, with Unicode's list of confusable characters and a table of its gaps. Compatible
 * forms (NFKC), case and accents are folded, invisible characters removed. No list is complete: callers therefore also
 * refuse names that mix scripts or use letters that are rare in names. Pure.
 */

const flipped = (groups: [string, string][]) =>
  new Map(groups.flatMap(([one, others]) => [...others].map((other) => [other, one] as const)));
const LATIN = flipped(Object.entries(LOOKS));
const EAST_ASIAN_FORMS = flipped(EAST_ASIAN_LOOKS.map((group) => [[...group][0] ?? "", group]));

const UNSEEN = /[\p{Cf}\p{Cc}\p{Default_Ignorable_Code_Point}]/gu;
// White space, and two blank characters that Unicode classes as symbols: of Braille and of musical notation.
const BLANK = /[\s\u2800\u{1d159}]+/gu;
// Accents. The marks of Japanese and other scripts are left out: they make a different letter.
const MARKS = /[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]/gu;

/** Returns a text as people see it: in NFKC, without invisible characters, with single spaces. */
export const visibleText = (text: string) =>
  text.normalize("NFKC").replace(UNSEEN, "").replace(BLANK, " ").trim();

const bare = (text: string) => text.normalize("NFKD").replace(MARKS, "");
const mapped = (text: string, to: ReadonlyMap<string, string>) =>
  [...text].map((one) => to.get(one) ?? one).join("");
const toLatin = (text: string) => mapped(bare(unhomoglyph(mapped(bare(text), LATIN))), EAST_ASIAN_FORMS);

// Everything but digits, `I` and signs that may each be read as more than one letter: unhomoglyph would pick one.
const NOT_FOR_LETTERS = /[^0-9I|!¡@$€£¥¢+]+/gu;

// Folds what looks the same in a plain font.
const folded = (text: string) =>
  text
    .replace(/[1|Il]/g, "l")
    .replaceAll("0", "o")
    .toLowerCase()
    .replaceAll("rn", "m")
    .replaceAll("vv", "w");

/** Returns `look` of the text as written, in lower case and in upper case. */
function inEachCase(text: string, look: (text: string) => string): string[] {
  const seen = visibleText(text);
  return [look(seen), look(seen.toLowerCase()), look(seen.toUpperCase())];
}

/** Returns what a text looks like in a plain font in each case: two texts that share a skeleton may be confused. */
export const skeletons = (text: string): string[] => [...new Set(inEachCase(text, toLatin).map(folded))];

/** Returns a text in Latin look-alikes in each case, but keeps the digits and signs that people write for letters. */
export const withDigits = (text: string): string[] => [
  ...new Set(inEachCase(text, (form) => form.replace(NOT_FOR_LETTERS, toLatin))),
];

/** Returns whether two texts may be taken for each other. */
export function lookAlike(one: string, other: string): boolean {
  const known = new Set(skeletons(one));
  return skeletons(other).some((each) => known.has(each));
}

// The scripts that UAX #31 recommends for identifiers (its table 5), as of Unicode 16.
const SCRIPTS = [
  ...["Latin", "Cyrillic", "Greek", "Armenian", "Georgian", "Hebrew", "Arabic", "Thaana", "Ethiopic"],
  ...["Devanagari", "Bengali", "Gurmukhi", "Gujarati", "Oriya", "Tamil", "Telugu", "Kannada", "Malayalam"],
  ...["Sinhala", "Thai", "Lao", "Tibetan", "Myanmar", "Khmer"],
  ...["Han", "Hiragana", "Katakana", "Bopomofo", "Hangul"],
].map((name) => ({ name, letters: new RegExp(`\\p{Script=${name}}`, "u") }));
// Names in these scripts often contain Latin letters, and their characters look like none of these.
const EAST_ASIAN = new Set(["Han", "Hiragana", "Katakana", "Bopomofo", "Hangul"]);
// Letters that belong to several scripts, such as the sign of a long vowel.
const SHARED = /[\p{Script=Common}\p{Script=Inherited}]/u;

const scriptOf = (letter: string) => SCRIPTS.find(({ letters }) => letters.test(letter))?.name;
const lettersOf = (text: string) =>
  (visibleText(text).match(/\p{L}/gu) ?? []).filter((one) => !SHARED.test(one));

/** Returns the scripts of a name if they must not be mixed, else an empty list. */
export function mixedScripts(text: string): string[] {
  const found = [...new Set(lettersOf(text).flatMap((one) => scriptOf(one) ?? []))];
  const others = found.filter((one) => !EAST_ASIAN.has(one));
  const fits = others.length === 0 || (others.length === 1 && (others[0] === "Latin" || found.length === 1));
  return fits ? [] : found;
}

// Letters of living languages that look like no other: glottal stops and clicks.
const UNLIKE = new Set("ʔʕɁɂǂ");
const looksLatin = (letter: string) =>
  UNLIKE.has(letter) || skeletons(letter).some((one) => /^[a-z]+$/.test(one));

/** Returns a name's letters outside {@link SCRIPTS}, and its phonetic or medieval Latin ones: mostly used for their looks. */
export const rareLetters = (text: string): string[] => [
  ...new Set(
    lettersOf(text).filter((one) => {
      const script = scriptOf(one);
      return script === undefined || (script === "Latin" && !looksLatin(one));
    }),
  ),
];
