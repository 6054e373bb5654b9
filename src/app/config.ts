import { readFileSync } from "node:fs";
import { parseDocument } from "yaml";
import type { z } from "zod";
import { AwoooiError, type FieldError, messageOf } from "../lib/error.ts";
import { type Config, configSchema } from "./config-schema.ts";
import { nearest } from "./nearest.ts";

type Tree = Record<string, unknown>;

/** Environment names and the settings that they stand for; `[]`: added to that list. Of each, `NAME_FILE` names a file that holds it. */
const ENVIRONMENT: Record<string, string> = {
  AWOOOI_ENV: "env",
  AWOOOI_DATA_DIR: "data_dir",
  AWOOOI_HOST: "server.host",
  AWOOOI_PORT: "server.port",
  AWOOOI_LOG_LEVEL: "server.log_level",
  AWOOOI_ADMIN_TOKEN: "admin_token",
  DATABASE_URL: "database.url",
  NOTIFICATION_ENABLED: "notification.enabled",
  WEBHOOK_HMAC_SECRET: "intake.hmac_secrets[]",
};

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

function fromEnvironment(tree: Tree, env: NodeJS.ProcessEnv, errors: FieldError[]): void {
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
    put(tree, path, path === "notification.enabled" ? !/^(0|false|no|off)$/i.test(value) : value);
  }
}

function readYaml(file: string, errors: FieldError[]): Tree {
  const document = parseDocument(readFileSync(file, "utf8"), { uniqueKeys: true });
  for (const error of document.errors)
    errors.push({ path: file, message: error.message.split("\n")[0] ?? "" });
  const tree: unknown = document.errors.length > 0 ? {} : (document.toJS() ?? {});
  if (tree !== null && typeof tree === "object" && !Array.isArray(tree)) return tree as Tree;
  errors.push({ path: file, message: "must hold settings as `name: value`" });
  return {};
}

type Shaped = { shape?: Record<string, z.ZodType>; unwrap?: () => z.ZodType; element?: z.ZodType };

/** The names that are allowed at a path of the schema. */
function namesAt(path: readonly PropertyKey[]): string[] {
  let at = configSchema as unknown as Shaped;
  const open = (type: Shaped): Shaped =>
    type.shape === undefined && type.element === undefined && type.unwrap !== undefined
      ? open(type.unwrap() as unknown as Shaped)
      : type;
  for (const key of path) {
    at = open(at);
    at = (typeof key === "number" ? at.element : at.shape?.[String(key)]) as unknown as Shaped;
    if (at === undefined) return [];
  }
  return Object.keys(open(at).shape ?? {});
}

function describe(issue: z.core.$ZodIssue): FieldError[] {
  if (issue.code !== "unrecognized_keys") return [{ path: issue.path.join("."), message: issue.message }];
  return issue.keys.map((key) => {
    const close = nearest(key, namesAt(issue.path));
    const hint = close === undefined ? "" : `; did you mean \`${close}\`?`;
    return { path: [...issue.path, key].join("."), message: `there is no such setting${hint}` };
  });
}

function freeze<T>(value: T): T {
  if (value !== null && typeof value === "object") for (const item of Object.values(value)) freeze(item);
  return Object.freeze(value);
}

/**
 * The configuration from a YAML file (where one is named, or `awoooi.yaml` is there) and the environment,
 * which wins. Throws `invalid` with everything that is wrong at once.
 */
export function loadConfig(options: { file?: string | undefined; env: NodeJS.ProcessEnv }): Config {
  const errors: FieldError[] = [];
  const file = options.file ?? options.env.AWOOOI_CONFIG;
  let tree: Tree = {};
  try {
    tree = readYaml(file ?? "awoooi.yaml", errors);
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === "ENOENT" && file === undefined;
    if (!absent) errors.push({ path: file ?? "awoooi.yaml", message: messageOf(error) });
  }
  fromEnvironment(tree, options.env, errors);
  const parsed = configSchema.safeParse(tree);
  if (!parsed.success) errors.push(...parsed.error.issues.flatMap(describe));
  if (errors.length > 0 || !parsed.success) {
    throw new AwoooiError("invalid", "The configuration is not valid.", { errors });
  }
  return freeze(parsed.data);
}
