const SECRET_KEY =
  /(authorization|cookie|password|passwd|secret|token|api[-_]?key|signature(?!s)|private[-_]?key)/i;
// Labels of a mebibyte pass through here: every repetition that can begin anywhere is bounded.
const SECRET_IN_TEXT: readonly [RegExp, string][] = [
  [/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi, "$1 [redacted]"],
  [/\bawoooi_[A-Za-z0-9_-]{16,}/g, "[redacted]"],
  [/([a-z][a-z0-9+.-]{0,30}:\/\/[^\s/:@]*:)[^\s/]+@/gi, "$1[redacted]@"],
  [
    /((?:password|passwd|secret|token|api[-_]?key)(?:[-_][a-z0-9_-]{0,40})?["']?\s{0,9}[=:]\s{0,9}["']?)[^\s"',;]{4,}/gi,
    "$1[redacted]",
  ],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, "[redacted]"],
];

/** `text` without what looks like a credential. */
export function redactText(text: string): string {
  return SECRET_IN_TEXT.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), text);
}

/** A copy of a JSON value without credentials: whole values under secret-sounding keys, parts of any text. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return redactText(value);
  if (value === null || typeof value !== "object") return value;
  if (depth > 20) return "[too deep]";
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      SECRET_KEY.test(key) && item !== null ? "[redacted]" : redact(item, depth + 1),
    ]),
  );
}
