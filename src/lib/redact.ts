const SECRET_KEY =
  /(authorization|cookie|password|passwd|passphrase|secret|token|api[-_]?key|routing[-_]?key|signature(?!s)|private[-_]?key)/i;
/** Says where a secret is, and is none. */
const FILE_KEY = /_file$/;
// Labels of a mebibyte pass through here: every repetition that can begin anywhere is bounded.
const SECRET_IN_TEXT: readonly [RegExp, string][] = [
  [/-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]{0,30}PRIVATE KEY-----|$)/g, "[redacted]"],
  [/\b(Bearer|Basic)\s{1,9}[A-Za-z0-9._~+/=-]{8,}/gi, "$1 [redacted]"],
  // But not where we say ourselves how to authenticate.
  [
    /\b(Authorization["']?\s{0,9}[=:](?! Bearer TOKEN\b)\s{0,9}["']?)(?!(?:Bearer|Basic) )[^\r\n"']{4,}/gi,
    "$1[redacted]",
  ],
  // By their form: ours, JWT, and the tokens of AWS, GitHub, GitLab, Slack, Google and Stripe.
  [/\bawoooi_[A-Za-z0-9_-]{16,}/g, "[redacted]"],
  [/\beyJ[A-Za-z0-9_-]{8,512}\.[A-Za-z0-9_-]{4,4096}\.[A-Za-z0-9_-]{0,1024}/g, "[redacted]"],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, "[redacted]"],
  [/\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,})/g, "[redacted]"],
  [/\bxox[abeoprs]-[A-Za-z0-9-]{10,}/g, "[redacted]"],
  [/\bAIza[A-Za-z0-9_-]{30,}/g, "[redacted]"],
  [/\b[sr]k_(?:live|test)_[A-Za-z0-9]{10,}/g, "[redacted]"],
  // Credentials in a URL: a password, or a token in the place of the user.
  // Each begins with what is rare: a scheme looked for at every letter took seconds for a few mebibytes.
  [/((?<=[a-z0-9+.-]):\/\/[^\s/:@]{0,256}:)[^\s/]{1,1024}@/gi, "$1[redacted]@"],
  [/((?<=[a-z0-9+.-]):\/\/)[^\s/:@]{16,256}@/gi, "$1[redacted]@"],
  [
    /((?:password|passwd|passphrase|pwd|secret|token|(?:api|routing)[-_]?key)(?:[-_][a-z0-9_-]{0,40})?["']?\s{0,9}[=:]\s{0,9}["']?)[^\s"',;]{4,}/gi,
    "$1[redacted]",
  ],
  [/(--?(?:password|passwd|secret|token|api[-_]?key)\s{1,9}["']?)[^\s"',;-][^\s"',;]{3,}/gi, "$1[redacted]"],
];

// A password that is a word would be found in ordinary text: `postgres` is down. It is no secret either.
const isTelling = (value: string) => value.length >= 16 || (value.length >= 8 && /[^a-z]/.test(value));
const literally = (text: string) => text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");

const known = new Set<string>();
let knownPattern: RegExp | undefined;

/**
 * Has these very values redacted from now on wherever they turn up, whatever stands around them: what the
 * server was configured with. Of the whole process, and never forgotten: an old secret is still one.
 */
export function keepSecret(values: Iterable<string>): void {
  for (const value of values) if (isTelling(value)) known.add(value);
  const longestFirst = [...known].sort((a, b) => b.length - a.length);
  knownPattern = known.size === 0 ? undefined : new RegExp(longestFirst.map(literally).join("|"), "g");
}

/** Every text of a JSON value that is a secret: under a secret-sounding name, or part of a URL. */
export function* secretsIn(value: unknown, secret = false): Generator<string> {
  if (typeof value === "string") {
    if (secret) yield value;
    const url = URL.parse(value);
    if (url?.password) yield* [url.password, decodeURIComponent(url.password)];
  } else if (value !== null && typeof value === "object") {
    for (const [key, item] of Object.entries(value))
      yield* secretsIn(item, secret || (!Array.isArray(value) && soundsSecret(key)));
  }
}

/** Whether what is called so is likely a secret, by the words that secrets are called by. */
export const soundsSecret = (name: string): boolean => SECRET_KEY.test(name) && !FILE_KEY.test(name);

/** `text` without what looks like a credential, and without those that are known. */
export function redactText(text: string): string {
  const rest = knownPattern === undefined ? text : text.replace(knownPattern, "[redacted]");
  return SECRET_IN_TEXT.reduce((left, [pattern, replacement]) => left.replace(pattern, replacement), rest);
}

// What PagerDuty's clients are admitted by, also where none is configured.
const ROUTING_KEY = /("routing_key"\s{0,9}:\s{0,9}")(?:[^"\\]|\\.)*/g;

/** A sender's body without what admits senders; all else that it says is shown as it came. */
export function redactBody(text: string): string {
  const rest = knownPattern === undefined ? text : text.replace(knownPattern, "[redacted]");
  return rest.replace(ROUTING_KEY, "$1[redacted]");
}

/** A copy of a JSON value without credentials: whole values under secret-sounding keys, parts of any text. */
export function redact(value: unknown): unknown {
  return copy(value, true, 0);
}

/** The same for what has names of ours: only texts are looked at, so that it keeps its form. */
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

/** A value without credentials, left out where the name that it goes by says that it is one. */
export const redactNamed = (name: string, value: string): string =>
  SECRET_KEY.test(name) ? "[redacted]" : redactText(value);
