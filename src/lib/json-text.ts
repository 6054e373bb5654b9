import { AwoooiError } from "./error.ts";

const BOM = "\ufeff";
const MARK = Buffer.from(BOM);

/** Returns `UTF-16` or `UTF-32` by a byte-order mark or, as RFC 4627, by the zero bytes at the start; else undefined. */
function otherEncoding(bytes: Uint8Array): string | undefined {
  const [a, b, c, d] = bytes;
  if (a === 0 && b === 0) return "UTF-32";
  if ((a === 0xff && b === 0xfe) || (a !== 0 && b === 0)) return c === 0 && d === 0 ? "UTF-32" : "UTF-16";
  if ((a === 0xfe && b === 0xff) || (a === 0 && b !== undefined)) return "UTF-16";
  return undefined;
}

/**
 * Returns the bytes of a JSON body without the byte-order mark that programs on Windows write. JSON is read as UTF-8,
 * whatever content type and charset the sender claims. Throws `unparsable` for UTF-16 and UTF-32.
 */
export function utf8Of(bytes: Buffer): Buffer {
  const other = otherEncoding(bytes);
  if (other !== undefined)
    throw new AwoooiError("unparsable", `The body is ${other}: send it as UTF-8, as JSON requires.`);
  return bytes.subarray(0, MARK.length).equals(MARK) ? bytes.subarray(MARK.length) : bytes;
}

/** Returns the text of a JSON body; see {@link utf8Of}. */
export const jsonText = (bytes: Buffer): string => utf8Of(bytes).toString("utf8");

/** Removes a byte-order mark from the beginning of `text`. */
export const withoutBom = (text: string): string => (text.startsWith(BOM) ? text.slice(1) : text);
