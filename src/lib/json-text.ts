import { AwoooiError } from "./error.ts";

const BOM = "\ufeff";
const MARK = Buffer.from(BOM);

/** How bytes that are not UTF-8 are encoded, told as RFC 4627 does: by where the zeros of the first characters are. */
function otherEncoding(bytes: Uint8Array): string | undefined {
  const [a, b, c, d] = bytes;
  if (a === 0 && b === 0) return "UTF-32";
  if ((a === 0xff && b === 0xfe) || (a !== 0 && b === 0)) return c === 0 && d === 0 ? "UTF-32" : "UTF-16";
  if ((a === 0xfe && b === 0xff) || (a === 0 && b !== undefined)) return "UTF-16";
  return undefined;
}

/**
 * Bytes that are to be JSON: UTF-8, whatever type and charset their sender claims, without the byte-order mark that
 * Windows' programs begin with. Throws `unparsable` for another encoding.
 */
export function utf8Of(bytes: Buffer): Buffer {
  const other = otherEncoding(bytes);
  if (other !== undefined)
    throw new AwoooiError("unparsable", `The body is ${other}: send it as UTF-8, which is what JSON is in.`);
  return bytes.subarray(0, MARK.length).equals(MARK) ? bytes.subarray(MARK.length) : bytes;
}

/** The text of {@link utf8Of}. */
export const jsonText = (bytes: Buffer): string => utf8Of(bytes).toString("utf8");

/** Text without the byte-order mark that it begins with, if it does. */
export const withoutMark = (text: string): string => (text.startsWith(BOM) ? text.slice(1) : text);
