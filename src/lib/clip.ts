const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: "grapheme" });

// So far around a cut graphemes are counted.
const FAR = 2_048;
// No writing system needs more code units for what people see as one character; who writes more means harm.
const LONGEST = 64;

/** Where a text may be cut instead of at `at`: before or behind the grapheme that is there. */
function around(text: string, at: number): { before: number; behind: number } {
  const far = Math.max(0, at - FAR);
  // One begins with every plain character; from there on they are counted.
  const from = far === 0 ? 0 : far + Math.max(0, text.slice(far, at).search(/[ -~]/));
  const found = GRAPHEMES.segment(text.slice(from, at + FAR)).containing(at - from);
  const before = from + (found?.index ?? at - from);
  const behind = before === at ? at : before + (found?.segment.length ?? 0);
  if (at - before <= LONGEST && behind - at <= LONGEST) return { before, behind };
  const inPair = /^[\udc00-\udfff]/.test(text.charAt(at));
  return inPair ? { before: at - 1, behind: at + 1 } : { before: at, behind: at };
}

/**
 * A text of at most `most` UTF-16 units: of a longer one the beginning, without half of what people see as one
 * character, and `mark` at its end. Always well-formed, so that it can be kept as JSON. Redact before, or half a secret
 * is left.
 */
export function clip(text: string, most: number, mark = "…"): string {
  const whole = text.toWellFormed();
  if (whole.length <= most) return whole;
  return `${whole.slice(0, around(whole, Math.max(0, most - mark.length)).before)}${mark}`;
}

/** The same of the end of a text: of a log the last lines count. */
export function clipStart(text: string, most: number, mark = "…"): string {
  const whole = text.toWellFormed();
  if (whole.length <= most) return whole;
  return `${mark}${whole.slice(around(whole, whole.length - Math.max(0, most - mark.length)).behind)}`;
}

/** The beginning of a text of more than `most` units, and behind it how long the whole is. */
export function clipCounted(text: string, most: number, gap = ""): string {
  return text.length <= most
    ? text.toWellFormed()
    : `${clip(text, most, "")}${gap}… (${text.length} characters)`;
}
