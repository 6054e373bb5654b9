const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: "grapheme" });

// UTF-16 units on each side of a cut that are segmented into graphemes.
const FAR = 2_048;
// The longest grapheme that is kept whole: no writing system needs more UTF-16 units for one visible character.
const LONGEST = 64;

/** Returns the ends of the grapheme that a cut at `at` would split, or of the surrogate pair if it is too long. */
function around(text: string, at: number): { before: number; behind: number } {
  const far = Math.max(0, at - FAR);
  // Start at a printable ASCII character: it always begins a grapheme.
  const from = far === 0 ? 0 : far + Math.max(0, text.slice(far, at).search(/[ -~]/));
  const found = GRAPHEMES.segment(text.slice(from, at + FAR)).containing(at - from);
  const before = from + (found?.index ?? at - from);
  const behind = before === at ? at : before + (found?.segment.length ?? 0);
  if (at - before <= LONGEST && behind - at <= LONGEST) return { before, behind };
  const inPair = /^[\udc00-\udfff]/.test(text.charAt(at));
  return inPair ? { before: at - 1, behind: at + 1 } : { before: at, behind: at };
}

/**
 * Returns `text` cut to at most `most` UTF-16 units, with `mark` at the end of a cut text; no grapheme is split. The
 * result is well-formed, so that it can be stored as JSON. Redact first: the pattern of a secret may not match half of it.
 */
export function clip(text: string, most: number, mark = "…"): string {
  const whole = text.toWellFormed();
  if (whole.length <= most) return whole;
  return `${whole.slice(0, around(whole, Math.max(0, most - mark.length)).before)}${mark}`;
}

/** Like {@link clip}, but keeps the end of the text, as a log's last lines matter most. */
export function clipStart(text: string, most: number, mark = "…"): string {
  const whole = text.toWellFormed();
  if (whole.length <= most) return whole;
  return `${mark}${whole.slice(around(whole, whole.length - Math.max(0, most - mark.length)).behind)}`;
}

/** Like {@link clip}, but appends the length of the whole text to a cut one, beyond the `most` units. */
export function clipCounted(text: string, most: number, gap = ""): string {
  return text.length <= most
    ? text.toWellFormed()
    : `${clip(text, most, "")}${gap}… (${text.length} characters)`;
}
