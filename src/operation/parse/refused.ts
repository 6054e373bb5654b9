import { clip } from "../../lib/clip.ts";

/** What a text is refused for, in words that name the part that is wrong. It never leaves the parser. */
export class Refused extends Error {}

export function refuse(reason: string): never {
  throw new Refused(reason);
}

/** A part of the text for a reason: visible as it stands, and not long. */
export function shown(text: string): string {
  return JSON.stringify(clip(text, 80));
}
