import { createHash } from "node:crypto";
import canonicalize from "canonicalize";

/** RFC 8785 text of `value`: the same for equal values, whatever the order of their keys. */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError("only JSON values have a canonical form");
  return text;
}

/** Hexadecimal SHA-256 of `text`. */
export function sha256(text: string | Buffer): string {
  return createHash("sha256").update(text).digest("hex");
}
