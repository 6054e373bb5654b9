import { clipCounted } from "../../../lib/clip.ts";
import { redactText } from "../../../lib/redact.ts";

// Sequences first, so that nothing of them is left: colours, titles, cursor movements.
const ESCAPES =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out.
  /\u001b(?:\[[0-?]{0,32}[ -/]{0,8}[@-~]|\][^\u0007\u001b]{0,1000}(?:\u0007|\u001b\\)|[@-Z\\-_])/g;
// And those that write from right to left, are not seen, or end a line for some readers only.
const CONTROLS = /[^\P{Cc}\n\t]|\p{Cf}|\p{Zl}|\p{Zp}/gu;

/** What a host said, for people to read: without control characters and credentials, `limit` characters at most. */
export function shown(text: string, limit = 2_000): string {
  // Redacted before it is cut, or half a secret would be left.
  const plain = redactText(text.toWellFormed().replace(ESCAPES, "").replace(CONTROLS, "")).trim();
  return clipCounted(plain, limit);
}

/** The same on one line. */
export function inLine(text: string, limit = 200): string {
  return shown(text.replace(/\s+/g, " "), limit);
}

/** The lines of what a command printed, without those that are empty. */
export const linesOf = (text: string): string[] => text.split("\n").filter((line) => line.trim() !== "");

/** Bytes for people: `812 B`, `1.2 GB`. */
export function inBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let value = Math.max(bytes, 0);
  let at = 0;
  for (; value >= 1_000 && at < units.length - 1; at += 1) value /= 1_000;
  return `${at === 0 ? value : value.toFixed(1)} ${units[at]}`;
}
