import { randomFillSync } from "node:crypto";

/** Where randomness comes from, so that tests can seed it. Returns `size` bytes. */
export type Random = (size: number) => Buffer;

// Drawn from the system by the page: an id of 16 bytes costs a call to it as much as a page does.
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

// Crockford's alphabet without letters that are read as digits; 32 symbols, so a byte's low 5 bits pick one.
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

function symbols(random: Random, count: number): string {
  return Array.from(random(count), (byte) => ALPHABET[byte & 31]).join("");
}

/** `INC-YYYYMMDD-XXXXXX`, the day in UTC. 2^30 ids a day: the caller retries on a collision. */
export function incidentId(now: Date, random: Random): string {
  return `INC-${now.toISOString().slice(0, 10).replaceAll("-", "")}-${symbols(random, 6)}`;
}

/** `DEC-` and 12 hexadecimal capitals. */
export function decisionToken(random: Random): string {
  return `DEC-${random(6).toString("hex").toUpperCase()}`;
}

/** `PREFIX-` and 16 symbols (80 bits). */
export function prefixedId(prefix: string, random: Random): string {
  return `${prefix}-${symbols(random, 16)}`;
}
