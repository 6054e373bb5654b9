const SECRET_KEY =
  /(authorization|cookie|password|passwd|passphrase|secret|token|api[-_]?key|routing[-_]?key|signature(?!s)|private[-_]?key)/i;
/** Settings that name the file of a secret are not secret. */
const FILE_KEY = /_file$/;
// Texts of a mebibyte are matched against these: every repetition that can begin anywhere is bounded.
const SECRET_IN_TEXT: readonly [RegExp, string][] = [
  [/-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]{0,30}PRIVATE KEY-----|$)/g, "[redacted]"],
  [/\b(Bearer|Basic)\s{1,9}[A-Za-z0-9._~+/=-]{8,}/gi, "$1 [redacted]"],
  // Except in our own hint, `Authorization: Bearer TOKEN`.
  [
    /\b(Authorization["']?\s{0,9}[=:](?! Bearer TOKEN\b)\s{0,9}["']?)(?!(?:Bearer|Basic) )[^\r\n"']{4,}/gi,
    "$1[redacted]",
  ],
  // Tokens with a known form: AWOOOI's own, JWT, AWS, GitHub and GitLab, Slack, Google, Stripe.
  [/\bawoooi_[A-Za-z0-9_-]{16,}/g, "[redacted]"],
  [/\beyJ[A-Za-z0-9_-]{8,512}\.[A-Za-z0-9_-]{4,4096}\.[A-Za-z0-9_-]{0,1024}/g, "[redacted]"],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, "[redacted]"],
  [/\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,})/g, "[redacted]"],
  [/\bxox[abeoprs]-[A-Za-z0-9-]{10,}/g, "[redacted]"],
  [/\bAIza[A-Za-z0-9_-]{30,}/g, "[redacted]"],
  [/\b[sr]k_(?:live|test)_[A-Za-z0-9]{10,}/g, "[redacted]"],
  // Credentials in a URL: a password, or a token in place of the user. The patterns begin with `://`,
  // which is rare: matching the scheme from every letter took seconds for a few mebibytes.
  [/((?<=[a-z0-9+.-]):\/\/[^\s/:@]{0,256}:)[^\s/]{1,1024}@/gi, "$1[redacted]@"],
  [/((?<=[a-z0-9+.-]):\/\/)[^\s/:@]{16,256}@/gi, "$1[redacted]@"],
  [
    /((?:password|passwd|passphrase|pwd|secret|token|(?:api|routing)[-_]?key)(?:[-_][a-z0-9_-]{0,40})?["']?\s{0,9}[=:]\s{0,9}["']?)[^\s"',;]{4,}/gi,
    "$1[redacted]",
  ],
  [/(--?(?:password|passwd|secret|token|api[-_]?key)\s{1,9}["']?)[^\s"',;-][^\s"',;]{3,}/gi, "$1[redacted]"],
];

// Redact only values that do not occur in ordinary text: "postgres is down" must stay readable when the password is `postgres`.
const isTelling = (value: string) => value.length >= 16 || (value.length >= 8 && /[^a-z]/.test(value));
const literally = (text: string) => text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");

const known = new Set<string>();
let knownPattern: RegExp | undefined;

/**
 * Redacts these exact values, the secrets of the configuration, from now on in every text. Applies to the
 * whole process and is never undone: a replaced secret is still one.
 */
export function registerSecrets(values: Iterable<string>): void {
  for (const value of values) if (isTelling(value)) known.add(value);
  const longestFirst = [...known].sort((a, b) => b.length - a.length);
  knownPattern = known.size === 0 ? undefined : new RegExp(longestFirst.map(literally).join("|"), "g");
}

/** Yields the secrets in a JSON value: every text under a secret-sounding key, and passwords in URLs. */
export function* secretsIn(value: unknown, secret = false): Generator<string> {
  if (typeof value === "string") {
    if (secret) yield value;
    const url = URL.parse(value);
    if (url?.password) yield* [url.password, decodeURIComponent(url.password)];
  } else if (value !== null && typeof value === "object") {
    for (const [key, item] of Object.entries(value))
      yield* secretsIn(item, secret || (!Array.isArray(value) && isSecretName(key)));
  }
}

/** Returns whether a name suggests that its value is a secret. */
export const isSecretName = (name: string): boolean => SECRET_KEY.test(name) && !FILE_KEY.test(name);

/** Replaces known secrets and whatever looks like a credential in `text` by `[redacted]`. */
export function redactText(text: string): string {
  const rest = knownPattern === undefined ? text : text.replace(knownPattern, "[redacted]");
  return SECRET_IN_TEXT.reduce((left, [pattern, replacement]) => left.replace(pattern, replacement), rest);
}

// The credential of PagerDuty's clients, redacted even if none is configured.
const ROUTING_KEY = /("routing_key"\s{0,9}:\s{0,9}")(?:[^"\\]|\\.)*/g;

/** Redacts known secrets and PagerDuty routing keys in a sender's body; everything else is kept as received. */
export function redactBody(text: string): string {
  const rest = knownPattern === undefined ? text : text.replace(knownPattern, "[redacted]");
  return rest.replace(ROUTING_KEY, "$1[redacted]");
}

/** Returns a copy of a JSON value with credentials redacted: whole values under secret-sounding keys, parts of other texts. */
export function redact(value: unknown): unknown {
  return copy(value, true, 0);
}

/** Like {@link redact}, but ignores keys, so that the type is kept: for values whose keys AWOOOI chose. */
export function redactTexts<T>(value: T): T {
  return copy(value, false, 0) as T;
}

function copy(value: unknown, byKey: boolean, depth: number): unknown {
  if (typeof value === "string") return redactText(value);
  if (value === null || typeof value !== "object") return value;
  if (depth > 20) return "[too deep]";
  if (Array.isArray(value)) return value.map((item) => copy(item, byKey, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      byKey && SECRET_KEY.test(key) && item !== null ? "[redacted]" : copy(item, byKey, depth + 1),
    ]),
  );
}

/** Redacts credentials in a named value; the whole value if its name sounds secret. */
export const redactNamed = (name: string, value: string): string =>
  SECRET_KEY.test(name) ? "[redacted]" : redactText(value);
