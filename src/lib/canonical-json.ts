import { hash } from "node:crypto";
import canonicalize from "canonicalize";

/** Returns the RFC 8785 text of `value`, which does not depend on the order of keys. Throws `TypeError` for non-JSON. */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError("only JSON values have a canonical form");
  return text;
}

/** Returns the hexadecimal SHA-256 of a list of texts as JSON, which for such a list is also its canonical form. */
export const hashOfTexts = (texts: readonly string[]): string => sha256(JSON.stringify(texts));

/** Returns the hexadecimal SHA-256 of `text`. */
export function sha256(text: string | Buffer): string {
  return hash("sha256", text, "hex");
}
