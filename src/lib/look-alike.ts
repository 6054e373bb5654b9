import unhomoglyph from "unhomoglyph";
import { EAST_ASIAN_LOOKS, LOOKS } from "./look-alike-tables.ts";

/**
 * Which names look alike, by Unicode's list of confusable characters and a table of what that list leaves out. NFKC,
 * case and accents are folded, and what is not seen is left out. No list is whole: names that mix scripts, or are in
 * one that hardly anybody writes names in, are therefore refused besides. Pure.
 */

const flipped = (groups: [string, string][]) =>
  new Map(groups.flatMap(([one, others]) => [...others].map((other) => [other, one] as const)));
const LATIN = flipped(Object.entries(LOOKS));
const EAST_ASIAN_FORMS = flipped(EAST_ASIAN_LOOKS.map((group) => [[...group][0] ?? "", group]));

const UNSEEN = /[\p{Cf}\p{Cc}\p{Default_Ignorable_Code_Point}]/gu;
// Blanks that Unicode counts as signs: of Braille, and of musical notes.
const BLANK = /[\s\u2800\u{1d159}]+/gu;
// Not those of Japanese and others, which make another letter.
const MARKS = /[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]/gu;

/** As people see it: without what cannot be seen, with single spaces, in Unicode's compatible form. */
export const asSeen = (text: string) => text.normalize("NFKC").replace(UNSEEN, "").replace(BLANK, " ").trim();

const bare = (text: string) => text.normalize("NFKD").replace(MARKS, "");
const mapped = (text: string, to: ReadonlyMap<string, string>) =>
  [...text].map((one) => to.get(one) ?? one).join("");
const toLatin = (text: string) => mapped(bare(unhomoglyph(mapped(bare(text), LATIN))), EAST_ASIAN_FORMS);

// `I` and what unhomoglyph takes for other letters at once: each may be read as more than one.
const NOT_FOR_LETTERS = /[^0-9I|!¡@$€£¥¢+]+/gu;

// One in a plain font stands for the other.
const folded = (text: string) =>
  text
    .replace(/[1|Il]/g, "l")
    .replaceAll("0", "o")
    .toLowerCase()
    .replaceAll("rn", "m")
    .replaceAll("vv", "w");

/** It as `look` makes it of each case that it may be written in. */
function inEachCase(text: string, look: (text: string) => string): string[] {
  const seen = asSeen(text);
  return [look(seen), look(seen.toLowerCase()), look(seen.toUpperCase())];
}

/** What a text looks like in a plain font, written in either case: two that share one may be taken for each other. */
export const skeletons = (text: string): string[] => [...new Set(inEachCase(text, toLatin).map(folded))];

/** The same with the digits and signs that people write for letters left as they are. */
export const withDigits = (text: string): string[] => [
  ...new Set(inEachCase(text, (form) => form.replace(NOT_FOR_LETTERS, toLatin))),
];

/** Whether two texts may be taken for each other. */
export function lookAlike(one: string, other: string): boolean {
  const known = new Set(skeletons(one));
  return skeletons(other).some((each) => known.has(each));
}

// Those that UAX #31 recommends for identifiers (its table 5), as of Unicode 16.
const SCRIPTS = [
  ...["Latin", "Cyrillic", "Greek", "Armenian", "Georgian", "Hebrew", "Arabic", "Thaana", "Ethiopic"],
  ...["Devanagari", "Bengali", "Gurmukhi", "Gujarati", "Oriya", "Tamil", "Telugu", "Kannada", "Malayalam"],
  ...["Sinhala", "Thai", "Lao", "Tibetan", "Myanmar", "Khmer"],
  ...["Han", "Hiragana", "Katakana", "Bopomofo", "Hangul"],
].map((name) => ({ name, letters: new RegExp(`\\p{Script=${name}}`, "u") }));
// Names in these are written together with Latin letters, and look like none of them.
const EAST_ASIAN = new Set(["Han", "Hiragana", "Katakana", "Bopomofo", "Hangul"]);
// Letters that several scripts have: the sign of a long vowel, and others.
const SHARED = /[\p{Script=Common}\p{Script=Inherited}]/u;

const scriptOf = (letter: string) => SCRIPTS.find(({ letters }) => letters.test(letter))?.name;
const lettersOf = (text: string) => (asSeen(text).match(/\p{L}/gu) ?? []).filter((one) => !SHARED.test(one));

/** The scripts of a name that do not go together; empty where they do. */
export function mixedScripts(text: string): string[] {
  const found = [...new Set(lettersOf(text).flatMap((one) => scriptOf(one) ?? []))];
  const others = found.filter((one) => !EAST_ASIAN.has(one));
  const fits = others.length === 0 || (others.length === 1 && (others[0] === "Latin" || found.length === 1));
  return fits ? [] : found;
}

// Letters of living languages that are drawn like no other: glottal stops and clicks.
const UNLIKE = new Set("ʔʕɁɂǂ");
const looksLatin = (letter: string) =>
  UNLIKE.has(letter) || skeletons(letter).some((one) => /^[a-z]+$/.test(one));

/** Letters of scripts that hardly anybody writes names in, and of phonetic or medieval writing: mostly used for how they look. */
export const rareLetters = (text: string): string[] => [
  ...new Set(
    lettersOf(text).filter((one) => {
      const script = scriptOf(one);
      return script === undefined || (script === "Latin" && !looksLatin(one));
    }),
  ),
];
