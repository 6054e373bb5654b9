import { isSecretName, redactText, secretsIn } from "../../lib/redact.ts";
import { type SecretKind, secretAt } from "../../lib/setting.ts";
import { configSchema } from "./schema.ts";

/** Returns the last name in a setting's path, ignoring list indexes. */
const nameOf = (path: string) => path.split(".").findLast((part) => !/^\d+$/.test(part)) ?? "";

// For settings that the schema does not know, such as a misspelt one.
const SOUNDS_SECRET = /(^|_)(tokens?|passwords?|passphrase|secrets?|keys?)$/;
const SOUNDS_LIKE_WEBHOOK = /webhooks?(\.\d+)?\.url$/;

/** Returns what is secret in the setting at a dotted path, or in a setting that contains it. */
function kindAt(path: string): SecretKind | null {
  const known = secretAt(configSchema, path.split("."));
  if (known !== undefined) return known;
  if (SOUNDS_LIKE_WEBHOOK.test(path)) return "address";
  return SOUNDS_SECRET.test(nameOf(path)) ? "value" : null;
}

/** Returns whether the value at a dotted path of the configuration is or may contain a secret, and is never shown. */
export function isSecret(path: string): boolean {
  const kind = kindAt(path);
  return kind !== null && kind !== "command";
}

// Names of variables and headers, which we do not choose, that suggest a secret: by their end, or by a word in them.
const ENDS_SECRET = /(pass|pwd|(^|[-_])(pw|auth|salt|pin|session)|(?<!mon|tur|don)keys?)$/i;
const SAYS_SECRET = /(^|[-_])(pem|dsn|jwt|pat|creds?|credentials?)($|[-_])/i;
// Names of a secret's location or properties, which are not secret.
const NO_SECRET =
  /[-_](files?|paths?|dir|name|user(name)?|id|prefix|header|host|port|ttl|timeout|mode|type|enabled|length|expir\w+|interval|alg(orithm)?)$/i;
const LOOPBACK = /^(localhost|127\.[\d.]+|\[::1\])$/;

const looksSecret = (name: string, value: string) =>
  (!NO_SECRET.test(name) && (isSecretName(name) || ENDS_SECRET.test(name) || SAYS_SECRET.test(name))) ||
  redactText(value) !== value;

/** Returns for each word of a command the credential in it, by the name before it: `--token X`, `--token=X`, `TOKEN=X`. */
function credentialsIn(words: readonly string[]): (string | null)[] {
  return words.map((word, at) => {
    const [, name, value] = /^(?:--?)?([A-Za-z_][\w-]*)=(.+)$/s.exec(word) ?? [];
    if (name !== undefined && value !== undefined) return looksSecret(name, value) ? value : null;
    const [, flag] = /^--?(\w[\w-]+)$/.exec(words[at - 1] ?? "") ?? [];
    return flag !== undefined && !word.startsWith("-") && looksSecret(flag, word) ? word : null;
  });
}

/** Returns the words of the command at a dotted path with credentials redacted; null if the setting is not a command. */
export function commandWithoutSecrets(path: string, value: unknown): string[] | null {
  if (!Array.isArray(value) || kindAt(path) !== "command") return null;
  const words = value.map(String);
  return credentialsIn(words).map((secret, at) =>
    redactText(secret === null ? (words[at] ?? "") : (words[at] ?? "").replace(secret, () => "[redacted]")),
  );
}

/** Returns whether a URL contains a credential, or (`address`) grants access by itself; true for text that is no URL. */
function tellsSecret(kind: "password" | "address", value: string): boolean {
  const url = URL.parse(value);
  if (url === null) return true;
  if (kind === "password") return url.password !== "" || url.searchParams.has("password");
  return url.password !== "" || (!LOOPBACK.test(url.hostname) && url.pathname + url.search !== "/");
}

/**
 * Returns the dotted paths of secrets in these settings, by name or value. That is less than what `isSecret` hides:
 * most variables of a process's environment are not secret.
 */
export function secretPaths(value: unknown, path = ""): string[] {
  if (value === null || value === undefined) return [];
  const kind = kindAt(path);
  if (typeof value !== "object") {
    const text = String(value);
    const told =
      kind === "environment" || kind === "headers"
        ? text !== "" && looksSecret(nameOf(path), text)
        : kind === "password" || kind === "address"
          ? tellsSecret(kind, text)
          : kind === "value";
    return told ? [path] : [];
  }
  if (kind === "command" && Array.isArray(value)) {
    const words = value.map(String);
    return credentialsIn(words).flatMap((secret, at) =>
      secret !== null || redactText(words[at] ?? "") !== words[at] ? [`${path}.${at}`] : [],
    );
  }
  // A list of secrets is one setting.
  if (kind === "value" && Array.isArray(value)) return value.length > 0 ? [path] : [];
  return Object.entries(value).flatMap(([key, inner]) =>
    secretPaths(inner, path === "" ? key : `${path}.${key}`),
  );
}

/** Yields the texts that must never appear in a log or an answer: the hidden values of these settings that look like secrets. */
export function* secretTexts(settings: unknown, path = ""): Generator<string> {
  if (path === "") yield* secretsIn(settings);
  if (Array.isArray(settings) && kindAt(path) === "command")
    yield* credentialsIn(settings.map(String)).filter((one) => one !== null);
  if (settings !== null && typeof settings === "object")
    for (const [key, inner] of Object.entries(settings))
      yield* secretTexts(inner, path === "" ? key : `${path}.${key}`);
  else if (typeof settings === "string" && isSecret(path)) {
    if (kindAt(path) !== "environment" || looksSecret(nameOf(path), settings)) yield settings;
  }
}
