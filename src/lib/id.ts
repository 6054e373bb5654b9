import { randomFillSync } from "node:crypto";

/** Returns `size` random bytes; tests pass a seeded one. */
export type Random = (size: number) => Buffer;

// Random bytes are drawn a page at a time: a call for 16 bytes costs as much as one for the whole page.
const page = Buffer.alloc(8_192);
let used = page.length;

export const systemRandom: Random = (size) => {
  if (size > page.length) return randomFillSync(Buffer.alloc(size));
  if (used + size > page.length) {
    randomFillSync(page);
    used = 0;
  }
  used += size;
  return Buffer.from(page.subarray(used - size, used));
};

// Crockford's base 32, without letters that look like digits; a byte's low 5 bits select a symbol.
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

function symbols(random: Random, count: number): string {
  return Array.from(random(count), (byte) => ALPHABET[byte & 31]).join("");
}

/** Returns `INC-YYYYMMDD-XXXXXX` with the day in UTC. There are 2^30 ids a day: the caller retries on a collision. */
export function incidentId(now: Date, random: Random): string {
  return `INC-${now.toISOString().slice(0, 10).replaceAll("-", "")}-${symbols(random, 6)}`;
}

/** Returns `DEC-` and 12 hexadecimal digits in upper case. */
export function decisionToken(random: Random): string {
  return `DEC-${random(6).toString("hex").toUpperCase()}`;
}

/** Returns `PREFIX-` and 16 symbols (80 bits). */
export function prefixedId(prefix: string, random: Random): string {
  return `${prefix}-${symbols(random, 16)}`;
}
