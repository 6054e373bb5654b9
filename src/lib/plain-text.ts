// Terminal sequences: colours, titles, cursor movements. Removed first, or the rest of one would stay as text.
const ESCAPES =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out.
  /\u001b(?:\[[0-?]{0,32}[ -/]{0,8}[@-~]|\][^\u0007\u001b]{0,1000}(?:\u0007|\u001b\\)|[@-Z\\-_])/g;
// Control and format characters (NUL, invisible ones, right-to-left marks), and Unicode's line and paragraph separators.
const CONTROLS = /[^\P{Cc}\n\t]|\p{Cf}|\p{Zl}|\p{Zp}/gu;

/**
 * Makes the output of a program or an external system safe to store and show: well-formed, without terminal sequences and
 * without control characters other than line feeds and tabs. Redact afterwards: a colour may stand in the middle of a secret.
 */
export function plainText(text: string): string {
  return text.toWellFormed().replace(ESCAPES, "").replace(CONTROLS, "");
}
