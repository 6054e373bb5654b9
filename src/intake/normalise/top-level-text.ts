import { AwoooiError } from "../../lib/error.ts";
import { utf8Of } from "../../lib/json-text.ts";
import { afterText } from "../journal/read-body.ts";

const [QUOTE, BACKSLASH, COMMA, U] = [0x22, 0x5c, 0x2c, 0x75];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Returns whether the string between two indexes is `word` (letters and `_` only), written plainly or with escapes. */
function spells(bytes: Buffer, from: number, to: number, word: string): boolean {
  let at = from;
  for (let i = 0; i < word.length; i += 1) {
    const code = word.charCodeAt(i);
    if (bytes[at] === code) at += 1;
    else if (bytes[at] === BACKSLASH && bytes[at + 1] === U && at + 6 <= to) {
      if (Number.parseInt(bytes.toString("latin1", at + 2, at + 6), 16) !== code) return false;
      at += 6;
    } else return false;
  }
  return at === to;
}

/** Returns where the string value of a name in the outermost object is; of several the last counts, as for `JSON.parse`. */
function placeOf(bytes: Buffer, name: string): { from: number; to: number } | undefined {
  let found: { from: number; to: number } | undefined;
  let depth = 0;
  let isName = false;
  let isAsked = false;
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      const to = afterText(bytes, at);
      if (depth === 1 && isName) {
        isName = false;
        isAsked = spells(bytes, at + 1, to - 1, name);
        if (isAsked) found = undefined;
      } else if (depth === 1 && isAsked) found = { from: at, to };
      at = to;
      continue;
    }
    if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      if (depth === 0 && byte === OPEN_LIST) return undefined;
      depth += 1;
      isName = depth === 1;
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth -= 1;
    else if (byte === COMMA && depth === 1) {
      isName = true;
      isAsked = false;
    }
    at += 1;
  }
  if (depth !== 0) throw new AwoooiError("unparsable", "The body is not JSON.");
  return found;
}

/**
 * Returns the string value of a name in the body's outermost object; undefined where there is none. Nothing else is parsed, since
 * the sender is not authenticated yet. Throws `unparsable` where the scan finds that the body is not JSON.
 */
export function topLevelText(body: Buffer, name: string): string | undefined {
  const bytes = utf8Of(body);
  if (bytes.length === 0) throw new AwoooiError("unparsable", "There is no body.");
  const place = placeOf(bytes, name);
  if (place === undefined) return undefined;
  try {
    return JSON.parse(bytes.toString("utf8", place.from, place.to));
  } catch {
    throw new AwoooiError("unparsable", "The body is not JSON.");
  }
}
