import { stripVTControlCharacters } from "node:util";
import { clip, clipStart } from "../../../../lib/clip.ts";
import { redactText } from "../../../../lib/redact.ts";

const MAX_LINE = 400;
const TAIL_LINES = 20;
const TAIL_LENGTH = 2_000;
// Characters that reorder or hide text: bidirectional controls, zero-width characters, tags.
const DECEPTIVE = /[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu;

/** Removes terminal sequences, control characters (except newline and tab) and deceptive characters. */
export function visible(text: string): string {
  return stripVTControlCharacters(text.toWellFormed())
    .replace(/[^\P{Cc}\n\t]/gu, "")
    .replace(DECEPTIVE, "");
}

/** Returns untrusted text as one line: cleaned, without credentials, 400 characters at most by default. */
export function oneLine(text: string, max = MAX_LINE): string {
  // Also cut before the patterns run: a message may be a megabyte.
  const line = visible(text.slice(0, 20 * max)).replace(/\s+/g, " ");
  return clip(redactText(line).trim(), max);
}

/** Returns the end of a log: 20 lines and 2,000 characters at most, cleaned and without credentials. */
export function logTail(text: string): string {
  const lines = redactText(visible(text.slice(-20 * TAIL_LENGTH)))
    .trimEnd()
    .split("\n");
  const tail = lines
    .slice(-TAIL_LINES)
    .map((line) => clip(line.replaceAll("\t", " ").trimEnd(), 300))
    .join("\n");
  return clipStart(tail, TAIL_LENGTH);
}

/** Returns up to three names, and how many more there are. */
function some(names: readonly string[]): string {
  const first = names.slice(0, 3).join(", ");
  return names.length > 3 ? `${first} and ${names.length - 3} more` : first;
}

/** Returns `pod api-1`, or `3 pods (api-1, api-2, api-3)`; three names at most, and how many more there are. */
export function podsText(names: readonly string[]): string {
  return names.length === 1 ? `pod ${names[0]}` : `${names.length} pods (${some(names)})`;
}

/** Returns how long ago something was: `40 s`, `12 min`, `5 h`, `3 d`. */
export function ago(then: Date, now: Date): string {
  const seconds = Math.max(0, Math.round((now.getTime() - then.getTime()) / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** Returns `text` with its first letter capitalised. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
