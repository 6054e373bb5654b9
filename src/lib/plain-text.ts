// Sequences first, so that nothing of them is left: colours, titles, cursor movements.
const ESCAPES =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out.
  /\u001b(?:\[[0-?]{0,32}[ -/]{0,8}[@-~]|\][^\u0007\u001b]{0,1000}(?:\u0007|\u001b\\)|[@-Z\\-_])/g;
// And those that write from right to left, are not seen, or end a line for some readers only; no database keeps NUL.
const CONTROLS = /[^\P{Cc}\n\t]|\p{Cf}|\p{Zl}|\p{Zp}/gu;

/**
 * What a program or a system of the outside printed, as it can be kept and shown: well-formed, and without terminal sequences and
 * control characters but line ends and tabs. Redact it afterwards: a colour may stand in the middle of a secret.
 */
export function plainText(text: string): string {
  return text.toWellFormed().replace(ESCAPES, "").replace(CONTROLS, "");
}
