import { readFileSync, statSync } from "node:fs";
import { parseDocument } from "yaml";
import type { z } from "zod";
import { closeNames } from "../../lib/close-names.ts";
import { AwoooiError, type FieldError, messageOf } from "../../lib/error.ts";
import { settingIn, settingInfo } from "../../lib/setting.ts";
import { SOURCES, STREAMS } from "../adapters.ts";
import { type Config, configSchema } from "./schema.ts";

type Tree = Record<string, unknown>;

/** Environment variables and their settings; `[]`: appended to that list. `NAME_FILE` may name a file with the value. */
export const ENVIRONMENT: Record<string, string> = {
  // Other software uses this name too: only `prod` counts, and then wins. It must come before AWOOOI_ENV, which else decides.
  ENVIRONMENT: "env",
  AWOOOI_ENV: "env",
  AWOOOI_DATA_DIR: "data_dir",
  AWOOOI_HOST: "server.host",
  AWOOOI_PORT: "server.port",
  AWOOOI_LOG_LEVEL: "server.log_level",
  AWOOOI_ADMIN_TOKEN: "admin_token",
  DATABASE_URL: "database.url",
  NOTIFICATION_ENABLED: "notification.enabled",
  WEBHOOK_HMAC_SECRET: "intake.hmac_secrets[]",
  ...environmentOfAdapters(),
};

function environmentOfAdapters(): Record<string, string> {
  const all = [...STREAMS, ...SOURCES].flatMap(({ settings }) =>
    Object.entries(settings?.environment ?? {}).map(([name, inner]) => [name, `${settings?.path}.${inner}`]),
  );
  return Object.fromEntries(all);
}

function put(tree: Tree, path: string, value: unknown): void {
  const keys = path.split(".");
  const last = keys.pop() as string;
  let at = tree;
  for (const key of keys) {
    const next = at[key];
    at[key] = next !== null && typeof next === "object" ? next : {};
    at = at[key] as Tree;
  }
  const list = /^(.*)\[\]$/.exec(last)?.[1];
  if (list === undefined) at[last] = value;
  else at[list] = [...[at[list] ?? []].flat(), value];
}

/** Normalises `production`, `PROD` and the like to `prod`, so that production never runs with less strict checks. */
const environmentOf = (value: string) => {
  const word = value.trim().toLowerCase();
  return { production: "prod", development: "dev" }[word] ?? (["prod", "dev"].includes(word) ? word : value);
};

function fromEnvironment(tree: Tree, env: NodeJS.ProcessEnv, errors: FieldError[]): Map<string, string> {
  const from = new Map<string, string>();
  for (const [name, path] of Object.entries(ENVIRONMENT)) {
    const file = env[`${name}_FILE`];
    let value = env[name];
    if (value === undefined && file !== undefined) {
      try {
        value = readFileSync(file, "utf8").trim();
        if (value === "") errors.push({ path: `${name}_FILE`, message: `${file} is empty` });
      } catch (error) {
        errors.push({ path: `${name}_FILE`, message: messageOf(error) });
      }
    }
    if (value === undefined || value === "") continue;
    if (path === "env") {
      value = environmentOf(value);
      const strict = from.has("env");
      if (strict || (name === "ENVIRONMENT" && value !== "prod")) continue;
    }
    put(tree, path, path === "notification.enabled" ? !/^(0|false|no|off)$/i.test(value) : value);
    from.set(path, env[name] === undefined ? `${name}_FILE` : name);
  }
  return from;
}

/** Returns the environment variable of a setting, if there is one. */
export const environmentNameOf = (path: string): string | undefined =>
  Object.keys(ENVIRONMENT).find((name) => ENVIRONMENT[name]?.replace("[]", "") === path);

// Variables with our prefix that are not settings: the CLI's, and the one that names the configuration file.
const OTHER_NAMES = ["AWOOOI_API_BASE", "AWOOOI_CONFIG", "AWOOOI_URL", "AWOOOI_TOKEN", "AWOOOI_TOKEN_FILE"];

/** Returns environment variables that begin with `AWOOOI_` and are unknown, with the name that was probably meant. */
export function unknownNames(env: NodeJS.ProcessEnv): { name: string; meant: string | undefined }[] {
  const known = [...Object.keys(ENVIRONMENT).flatMap((name) => [name, `${name}_FILE`]), ...OTHER_NAMES];
  return Object.keys(env)
    .filter((name) => name.startsWith("AWOOOI_") && !known.includes(name))
    .map((name) => ({ name, meant: closeNames(name, known)[0] }));
}

// Variables of the first installation that no feature of this version reads.
const WAITING_NAMES = [
  "OPENCLAW_TG_BOT_TOKEN",
  "OPENCLAW_TG_CHAT_ID",
  "SRE_GROUP_CHAT_ID",
  "SENTRY_API_TOKEN",
  "LANGFUSE_URL",
  "AWOOOI_API_BASE",
];

/** Returns variables of the first installation that are set and have no or less effect than they suggest, with the reason. */
export function firstNames(env: NodeJS.ProcessEnv): { name: string; why: string }[] {
  const unread = WAITING_NAMES.filter((name) => env[name]).map((name) => ({
    name,
    why: "nothing reads it in this version",
  }));
  const { ENVIRONMENT: first, AWOOOI_ENV: own } = env;
  if (!first) return unread;
  const strict = environmentOf(first) === "prod";
  if (strict && own && environmentOf(own) !== "prod")
    return [
      ...unread,
      { name: "AWOOOI_ENV", why: `${own} does not count: ENVIRONMENT=${first} is stricter` },
    ];
  if (strict || environmentOf(first) === "dev") return unread;
  const why = `${first} is neither prod nor production: it changes nothing, AWOOOI_ENV does`;
  return [...unread, { name: "ENVIRONMENT", why }];
}

/** Returns variables that are set together with their `NAME_FILE`, which is then not read. */
export function doubledNames(env: NodeJS.ProcessEnv): string[] {
  return Object.keys(ENVIRONMENT).filter(
    (name) => env[name] !== undefined && env[`${name}_FILE`] !== undefined,
  );
}

// Bytes of the largest configuration file: none that is written by hand is larger.
const LARGEST = 10 * 1024 * 1024;

function readYaml(file: string, errors: FieldError[]): Tree {
  const found = statSync(file);
  if (!found.isFile())
    throw new Error(found.isDirectory() ? "is a folder, and no file" : "is no ordinary file");
  if (found.size > LARGEST) throw new Error(`is larger than ${LARGEST} bytes`);
  const document = parseDocument(readFileSync(file, "utf8"), { uniqueKeys: true });
  for (const error of document.errors) {
    const [first = ""] = error.message.split("\n");
    errors.push({ path: file, message: `is not YAML: ${first.replace(/:$/, "")}` });
  }
  const tree: unknown = document.errors.length > 0 ? {} : (document.toJS() ?? {});
  if (tree !== null && typeof tree === "object" && !Array.isArray(tree)) return tree as Tree;
  errors.push({ path: file, message: "must hold settings as `name: value`" });
  return {};
}

/** Returns the setting names that the schema allows at a path. */
function namesAt(path: readonly PropertyKey[]): string[] {
  let at: z.core.$ZodType = configSchema;
  for (const key of path) {
    const next = settingIn(at, String(key));
    if (next === undefined) return [];
    at = next;
  }
  return Object.keys(settingInfo(at).shape ?? {});
}

function describe(issue: z.core.$ZodIssue): FieldError[] {
  if (issue.code !== "unrecognized_keys") return [{ path: issue.path.join("."), message: issue.message }];
  return issue.keys.map((key) => {
    const [close] = closeNames(key, namesAt(issue.path));
    const hint = close === undefined ? "" : `; did you mean \`${close}\`?`;
    return { path: [...issue.path, key].join("."), message: `there is no such setting${hint}` };
  });
}

function freeze<T>(value: T): T {
  if (value !== null && typeof value === "object") for (const item of Object.values(value)) freeze(item);
  return Object.freeze(value);
}

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  ENOTDIR: "there is no such file: a part of its path is no folder",
  EACCES: "must not be read by this user",
};

export type ConfigOptions = { file?: string | undefined; env: NodeJS.ProcessEnv };

/** The settings as read, before validation. */
export type Settings = {
  /** The configuration file, also if it could not be read; null if there is none. */
  file: string | null;
  tree: Tree;
  /** The environment variable of each setting that was taken from the environment, by dotted path. */
  from: ReadonlyMap<string, string>;
  errors: FieldError[];
};

/** Returns the value at a dotted path of unvalidated settings, or undefined. */
export function settingAt(tree: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((node, key) => (node as Record<string, unknown> | null | undefined)?.[key], tree);
}

/** Returns a dotted path for people: list indexes are replaced by the item's `name`, if it has one. */
export function namedPath(tree: unknown, path: string): string {
  const keys = path.split(".");
  return keys
    .map((key, at) => {
      if (!/^\d+$/.test(key)) return key;
      const item = settingAt(tree, keys.slice(0, at + 1).join(".")) as { name?: unknown } | null | undefined;
      return typeof item?.name === "string" && item.name !== "" ? item.name : key;
    })
    .join(".");
}

/** Reads the file and the environment, which takes precedence. Never throws: failures are in `errors`. */
export function readSettings(options: ConfigOptions): Settings {
  const errors: FieldError[] = [];
  const file = options.file ?? options.env.AWOOOI_CONFIG;
  let tree: Tree = {};
  let read: string | null = file ?? "awoooi.yaml";
  try {
    tree = readYaml(read, errors);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (file === undefined && code === "ENOENT") read = null;
    else errors.push({ path: read, message: UNREADABLE[code] ?? messageOf(error) });
  }
  const from = fromEnvironment(tree, options.env, errors);
  return { file: read, tree, from, errors };
}

/** Validates settings; returns the configuration (null if it is invalid) and all errors. */
export function parseSettings({ tree, errors }: Settings): { config: Config | null; errors: FieldError[] } {
  const parsed = configSchema.safeParse(tree);
  if (parsed.success) return { config: errors.length > 0 ? null : freeze(parsed.data), errors };
  return { config: null, errors: [...errors, ...parsed.error.issues.flatMap(describe)] };
}

/**
 * Loads the configuration from a YAML file (the named one, else `awoooi.yaml` if it exists) and the environment,
 * which takes precedence. Throws `invalid` with all errors at once.
 */
export function loadConfig(options: ConfigOptions): Config {
  const { config, errors } = parseSettings(readSettings(options));
  if (config === null) throw new AwoooiError("invalid", "The configuration is not valid.", { errors });
  return config;
}
