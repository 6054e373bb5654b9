import { AwoooiError } from "../lib/error.ts";
import { silentLog } from "../lib/log.ts";
import { type ConfigOptions, parseSettings, readSettings, settingAt } from "./config.ts";
import { checked } from "./live.ts";
import { isSecret } from "./secret.ts";

export type ShownSetting = {
  path: string;
  value: unknown;
  /** `default`, the file's name, or the name of the environment. */
  source: string;
};
export type ShownConfig = { hash: string; settings: ShownSetting[] };

function leaves(value: unknown, path = ""): [string, unknown][] {
  if (value === null || typeof value !== "object" || Array.isArray(value) || isSecret(path)) {
    return [[path, value]];
  }
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, path === "" ? key : `${path}.${key}`));
}

/** A value without secrets, at any depth. */
function redacted(value: unknown, path: string): unknown {
  if (isSecret(path)) return Array.isArray(value) && value.length === 0 ? [] : "[redacted]";
  if (Array.isArray(value)) return value.map((item, index) => redacted(item, `${path}.${index}`));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, redacted(inner, `${path}.${key}`)]),
  );
}

/** Every setting as it would be in force, with where it comes from; durations in seconds. Throws `invalid`. */
export function showConfig(options: ConfigOptions): ShownConfig {
  const read = readSettings(options);
  const { config, errors } = parseSettings(read);
  if (config === null) throw new AwoooiError("invalid", "The configuration is not valid.", { errors });
  const sourceOf = (path: string) =>
    read.from.get(path) ??
    (read.file !== null && settingAt(read.tree, path) !== undefined ? read.file : "default");
  const settings = leaves(config).map(([path, value]) => ({
    path,
    value: redacted(value, path),
    source: sourceOf(path),
  }));
  return { hash: checked(config, silentLog).hash, settings };
}
