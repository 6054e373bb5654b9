import { hash } from "node:crypto";
import canonicalize from "canonicalize";

/** RFC 8785 text of `value`: the same for equal values, whatever the order of their keys. */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError("only JSON values have a canonical form");
  return text;
}

/** Hexadecimal SHA-256 of a list of texts. As canonical JSON a list of texts is what it is as any JSON. */
export const hashOfTexts = (texts: readonly string[]): string => sha256(JSON.stringify(texts));

/** Hexadecimal SHA-256 of `text`. */
export function sha256(text: string | Buffer): string {
  return hash("sha256", text, "hex");
}
