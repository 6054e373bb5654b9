/** What a text is refused for, in words that name the part that is wrong. It never leaves the parser. */
export class Refused extends Error {}

export function refuse(reason: string): never {
  throw new Refused(reason);
}

/** A part of the text for a reason: visible as it stands, and not long. */
export function shown(text: string): string {
  const whole = text.toWellFormed();
  return JSON.stringify(whole.length > 80 ? `${whole.slice(0, 79).toWellFormed()}…` : whole);
}
