import { redactText, secretsIn, soundsSecret } from "../lib/redact.ts";
import { type SecretKind, secretAt } from "../lib/secret-setting.ts";
import { configSchema } from "./config-schema.ts";

/** The last name of a setting's path, without places in lists. */
const nameOf = (path: string) => path.split(".").findLast((part) => !/^\d+$/.test(part)) ?? "";

// Of settings that the schema does not know, such as one with a slip of the hand in its name.
const SOUNDS_SECRET = /(^|_)(tokens?|passwords?|passphrase|secrets?|keys?)$/;

/** What is secret of the setting at a dotted path, or of what it is a part of. */
function kindAt(path: string): SecretKind | null {
  const known = secretAt(configSchema, path.split("."));
  return known === undefined ? (SOUNDS_SECRET.test(nameOf(path)) ? "value" : null) : known;
}

/** Whether what stands at a dotted path of the configuration is a secret, or may hold one: it is shown to nobody. */
export function isSecret(path: string): boolean {
  const kind = kindAt(path);
  return kind !== null && kind !== "command";
}

// Of variables and headers, whose names others have chosen: how they end, and what says it wherever it stands.
const ENDS_SECRET = /(pass|pwd|(^|[-_])(pw|auth|salt|pin|session)|(?<!mon|tur|don)keys?)$/i;
const SAYS_SECRET = /(^|[-_])(pem|dsn|jwt|pat|creds?|credentials?)($|[-_])/i;
// Where a secret is, and what is told of one beside it.
const NO_SECRET =
  /[-_](files?|paths?|dir|name|user(name)?|id|prefix|header|host|port|ttl|timeout|mode|type|enabled|length|expir\w+|interval|alg(orithm)?)$/i;
const LOOPBACK = /^(localhost|127\.[\d.]+|\[::1\])$/;

const looksSecret = (name: string, value: string) =>
  (!NO_SECRET.test(name) && (soundsSecret(name) || ENDS_SECRET.test(name) || SAYS_SECRET.test(name))) ||
  redactText(value) !== value;

/** Of each word of a command the credential that it is or holds, by the name before it: `--token X`, `--token=X`, `TOKEN=X`. */
function credentialsIn(words: readonly string[]): (string | null)[] {
  return words.map((word, at) => {
    const [, name, value] = /^(?:--?)?([A-Za-z_][\w-]*)=(.+)$/s.exec(word) ?? [];
    if (name !== undefined && value !== undefined) return looksSecret(name, value) ? value : null;
    const [, flag] = /^--?(\w[\w-]+)$/.exec(words[at - 1] ?? "") ?? [];
    return flag !== undefined && !word.startsWith("-") && looksSecret(flag, word) ? word : null;
  });
}

/** The words of the command at a dotted path without what is a credential; null: there is no command. */
export function commandWithoutSecrets(path: string, value: unknown): string[] | null {
  if (!Array.isArray(value) || kindAt(path) !== "command") return null;
  const words = value.map(String);
  return credentialsIn(words).map((secret, at) =>
    redactText(secret === null ? (words[at] ?? "") : (words[at] ?? "").replace(secret, () => "[redacted]")),
  );
}

/** Whether whoever knows this address can do more than who does not. */
function tellsSecret(kind: "password" | "address", value: string): boolean {
  const url = URL.parse(value);
  if (url === null) return true;
  if (kind === "password") return url.password !== "" || url.searchParams.has("password");
  return url.password !== "" || (!LOOPBACK.test(url.hostname) && url.pathname + url.search !== "/");
}

/**
 * The dotted paths of what is a secret in these settings by its name or its value; less than what is kept from being
 * shown, as most of a process's environment is none.
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

/** Texts that must not be in a log or an answer, whoever prints them: all that is kept from being shown and looks like a secret. */
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
