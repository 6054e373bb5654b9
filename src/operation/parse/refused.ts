import { clip } from "../../lib/clip.ts";

/** Thrown inside the parser to refuse a text; the message names what is wrong. It never leaves the parser. */
export class Refused extends Error {}

export function refuse(reason: string): never {
  throw new Refused(reason);
}

/** Quotes a part of the text for a reason: escaped, at most 80 characters. */
export function excerpt(text: string): string {
  return JSON.stringify(clip(text, 80));
}
