import { clipCounted } from "../../../lib/clip.ts";
import { plainText } from "../../../lib/plain-text.ts";
import { redactText } from "../../../lib/redact.ts";

/** What a host said, for people to read: without control characters and credentials, `limit` characters at most. */
export function shown(text: string, limit = 2_000): string {
  // Redacted before it is cut, or half a secret would be left.
  return clipCounted(redactText(plainText(text)).trim(), limit);
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
