import { clipCounted } from "../../../lib/clip.ts";
import { plainText } from "../../../lib/plain-text.ts";
import { redactText } from "../../../lib/redact.ts";

/** Cleans a host's output for display: removes control characters and credentials, keeps at most `limit` characters. */
export function shown(text: string, limit = 2_000): string {
  // Redact before cutting, or half a secret could remain.
  return clipCounted(redactText(plainText(text)).trim(), limit);
}

/** Cleans as `shown` does, on one line. */
export function inLine(text: string, limit = 200): string {
  return shown(text.replace(/\s+/g, " "), limit);
}

/** Returns the non-empty lines of a command's output. */
export const linesOf = (text: string): string[] => text.split("\n").filter((line) => line.trim() !== "");

/** Formats bytes for people: `812 B`, `1.2 GB`. */
export function inBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let value = Math.max(bytes, 0);
  let at = 0;
  for (; value >= 1_000 && at < units.length - 1; at += 1) value /= 1_000;
  return `${at === 0 ? value : value.toFixed(1)} ${units[at]}`;
}
