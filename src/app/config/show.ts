import type { z } from "zod";
import { AwoooiError } from "../../lib/error.ts";
import { silentLog } from "../../lib/log.ts";
import { redactText } from "../../lib/redact.ts";
import { settingIn, settingInfo } from "../../lib/setting.ts";
import { checked } from "./active.ts";
import { type ConfigOptions, parseSettings, readSettings, settingAt } from "./load.ts";
import { configSchema } from "./schema.ts";
import { commandWithoutSecrets, isSecret } from "./secret.ts";

type ShownSetting = {
  path: string;
  /** The value in force; durations are seconds. */
  value: unknown;
  /** The text in the file, the environment or the defaults, if it differs from the value: `10m`. */
  written?: unknown;
  /** `default`, the file's name, or the name of the environment variable. */
  source: string;
};
export type ShownConfig = { hash: string; settings: ShownSetting[] };

function leaves(value: unknown, path = ""): [string, unknown][] {
  if (value === null || typeof value !== "object" || Array.isArray(value) || isSecret(path)) {
    return [[path, value]];
  }
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, path === "" ? key : `${path}.${key}`));
}

/** Returns a value with secrets redacted at any depth. */
function redacted(value: unknown, path: string): unknown {
  if (isSecret(path)) return Array.isArray(value) && value.length === 0 ? [] : "[redacted]";
  const command = commandWithoutSecrets(path, value);
  if (command !== null) return command;
  if (Array.isArray(value)) return value.map((item, index) => redacted(item, `${path}.${index}`));
  if (typeof value === "string") return redactText(value);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, redacted(inner, `${path}.${key}`)]),
  );
}

/** Returns the value in force as it was written: differs only where text was converted, such as durations. */
function asWritten(value: unknown, written: unknown, type: z.core.$ZodType | undefined): unknown {
  const given = written ?? (type && settingInfo(type).initial);
  if (value === null || typeof value === "number")
    return typeof given === "string" && Number(given) !== value ? given : value;
  if (typeof value !== "object") return value;
  const inner = (item: unknown, key: string): unknown => {
    const own = (given as Record<string, unknown> | undefined)?.[key];
    return asWritten(item, own, type && settingIn(type, key));
  };
  if (Array.isArray(value)) return value.map((item, at) => inner(item, String(at)));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inner(item, key)]));
}

/** Returns every setting as it would be in force and as it was written, with its origin. Throws `invalid`. */
export function showConfig(options: ConfigOptions): ShownConfig {
  const read = readSettings(options);
  const { config, errors } = parseSettings(read);
  if (config === null) throw new AwoooiError("invalid", "The configuration is not valid.", { errors });
  const sourceOf = (path: string) =>
    read.from.get(path) ??
    (read.file !== null && settingAt(read.tree, path) !== undefined ? read.file : "default");
  const words = asWritten(config, read.tree, configSchema);
  const settings = leaves(config).map(([path, inForce]) => {
    const value = redacted(inForce, path);
    const written = redacted(settingAt(words, path), path);
    const differs = JSON.stringify(written) !== JSON.stringify(value);
    return { path, value, ...(differs ? { written } : {}), source: sourceOf(path) };
  });
  return { hash: checked(config, silentLog).hash, settings };
}
