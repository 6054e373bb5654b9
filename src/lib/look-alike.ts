/**
 * Which names look alike. NFKC, case and accents are folded, what is not seen is left out, and letters of other
 * scripts that are drawn as Latin ones become these, by a table of our own. The table has the letters of Cyrillic,
 * Greek, Armenian, Cherokee and phonetic Latin that common fonts draw so, not all of Unicode's list: names that mix
 * scripts are therefore refused besides. Pure.
 */

// What looks like it, behind each Latin letter; lower case, or capitals whose small letters look otherwise.
const LOOKS: Record<string, string> = {
  a: "аɑαᴀⱥ∂",
  b: "ЬᏏƄƅ",
  c: "сϲᴄⅽᏟ",
  d: "ԁɗⅾᏧ",
  e: "еєҽεℯ",
  f: "ғƒẝք",
  g: "ɡɢցԍᶃ",
  h: "һհʜᏂ",
  i: "іıɩιᎥӏ",
  j: "јϳʝյ",
  k: "кκᴋⲕ",
  l: "ⅼʟⲓ׀ᛁ",
  m: "мᴍⅿ",
  n: "ոռпиɴη",
  o: "оοσᴏօჿ০੦๐໐ⲟ",
  p: "рρᴘⲣϸ",
  q: "ԛգզ",
  r: "гᴦʀɾⲅꭇ",
  s: "ѕꜱʂᏚ",
  t: "тτᴛƭ",
  u: "υսᴜʋцџ",
  v: "νѵᴠⅴט",
  w: "ԝɯᴡωшѡա",
  x: "хχⅹ×",
  y: "уүγʏყỿ",
  z: "ᴢʐȥᏃ",
  A: "АΑᎪ",
  B: "ВΒᏴ",
  C: "СϹ",
  D: "Ꭰᗞꓓ",
  E: "ЕΕᎬ",
  H: "НΗᎻ",
  I: "ІΙӀⅠ",
  J: "ЈᎫͿ",
  K: "КΚᏦ",
  L: "ᏞⳐꓡ",
  M: "МΜᎷ",
  N: "Νꓠ",
  O: "ОΟՕ",
  P: "РΡᏢ",
  S: "ЅՏ",
  T: "ТΤᎢ",
  V: "ѴᏙ",
  X: "ХΧ",
  Y: "УΥҮ",
  Z: "Ζꓜ",
};
const LATIN = new Map(
  Object.entries(LOOKS).flatMap(([latin, others]) => [...others].map((other) => [other, latin] as const)),
);

const UNSEEN = /[\p{Cf}\p{Cc}\p{Default_Ignorable_Code_Point}]/gu;
// Not those of Japanese and others, which make another letter.
const MARKS = /[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]/gu;

/** As people see it: without what cannot be seen, with single spaces, in Unicode's compatible form. */
export const asSeen = (text: string) =>
  text.normalize("NFKC").replace(UNSEEN, "").trim().replace(/\s+/gu, " ");

const toLatin = (text: string) =>
  [...text.normalize("NFKD").replace(MARKS, "")].map((one) => LATIN.get(one) ?? one).join("");

// One in a plain font stands for the other.
const folded = (text: string) =>
  text
    .replace(/[1|Il]/g, "l")
    .replaceAll("0", "o")
    .toLowerCase()
    .replaceAll("rn", "m")
    .replaceAll("vv", "w");

/** What a text looks like in a plain font, written in either case: two that share one may be taken for each other. */
export function skeletons(text: string): string[] {
  const seen = asSeen(text);
  const forms = [toLatin(seen), toLatin(seen.toLowerCase()), toLatin(seen.toUpperCase()).toLowerCase()];
  return [...new Set(forms.map(folded))];
}

/** Whether two texts may be taken for each other. */
export function lookAlike(one: string, other: string): boolean {
  const known = new Set(skeletons(one));
  return skeletons(other).some((each) => known.has(each));
}

const SCRIPTS = [
  "Latin",
  "Cyrillic",
  "Greek",
  "Armenian",
  "Hebrew",
  "Arabic",
  "Devanagari",
  "Thai",
  "Georgian",
  "Han",
  "Hiragana",
  "Katakana",
  "Bopomofo",
  "Hangul",
].map((name) => ({ name, letters: new RegExp(`\\p{Script=${name}}`, "u") }));
// Names in these are written together with Latin letters, and look like none of them.
const EAST_ASIAN = new Set(["Han", "Hiragana", "Katakana", "Bopomofo", "Hangul"]);

const scriptOf = (letter: string) =>
  SCRIPTS.find(({ letters }) => letters.test(letter))?.name ?? "another script";

/** The scripts of a name that do not go together; empty where they do. */
export function mixedScripts(text: string): string[] {
  const letters = asSeen(text).match(/\p{L}/gu) ?? [];
  const found = [...new Set(letters.map(scriptOf))];
  const others = found.filter((one) => !EAST_ASIAN.has(one));
  const fits = others.length === 0 || (others.length === 1 && (others[0] === "Latin" || found.length === 1));
  return fits ? [] : found;
}
