import { stripVTControlCharacters } from "node:util";
import { clip, clipStart } from "../../../../lib/clip.ts";
import { redactText } from "../../../../lib/redact.ts";

const MAX_LINE = 400;
const TAIL_LINES = 20;
const TAIL_LENGTH = 2_000;
// What turns or hides the text around it: directions, zero widths, tags.
const DECEPTIVE = /[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu;

/** Text that a terminal only shows: without control characters but line ends, and without what turns it. */
export function visible(text: string): string {
  return stripVTControlCharacters(text.toWellFormed())
    .replace(/[^\P{Cc}\n\t]/gu, "")
    .replace(DECEPTIVE, "");
}

/** What strangers wrote, as one line: visible, without credentials, 400 characters at most. */
export function oneLine(text: string, max = MAX_LINE): string {
  // Cut before anything looks at it as well: a message may be a megabyte.
  const line = visible(text.slice(0, 20 * max)).replace(/\s+/g, " ");
  return clip(redactText(line).trim(), max);
}

/** The end of a log: 20 lines and 2,000 characters at most, visible and without credentials. */
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

/** Up to three names, and how many more there are. */
function some(names: readonly string[]): string {
  const first = names.slice(0, 3).join(", ");
  return names.length > 3 ? `${first} and ${names.length - 3} more` : first;
}

/** `pod api-1`, `3 pods (api-1, api-2, api-3)`, with how many more there are. */
export function podsText(names: readonly string[]): string {
  return names.length === 1 ? `pod ${names[0]}` : `${names.length} pods (${some(names)})`;
}

/** How long ago something was: `40 s`, `12 min`, `5 h`, `3 d`. */
export function ago(then: Date, now: Date): string {
  const seconds = Math.max(0, Math.round((now.getTime() - then.getTime()) / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** `text` with a capital at its beginning. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
