import { z } from "zod";

/**
 * What is secret in a setting. `value`: all of it. `environment`: variables whose name or value suggests a secret.
 * `headers`: the values of HTTP headers. `password`: the password in a URL. `address`: the whole URL, as it grants
 * write access. `command`: the words of a command that are credentials.
 */
export type SecretKind = "value" | "environment" | "headers" | "password" | "address" | "command";

const marks = z.registry<{ secret: SecretKind }>();

/** Returns a copy of a setting's schema marked as secret: its value is never shown, and is redacted in all output. */
export function secret<T extends z.ZodType>(schema: T, kind: SecretKind = "value"): T {
  // A copy, as the same schema object may be used for settings that are not secret.
  const marked: T = schema.clone();
  marks.add<z.ZodType>(marked, { secret: kind });
  return marked;
}

type Def = {
  innerType?: z.core.$ZodType;
  in?: z.core.$ZodType;
  shape?: Record<string, z.core.$ZodType>;
  element?: z.core.$ZodType;
  valueType?: z.core.$ZodType;
};

/**
 * Returns what is secret in the setting at `path`, or in a setting that contains it; null if nothing is, undefined if the
 * schema has no such setting. A path may leave out list indexes.
 */
export function secretAt(schema: z.core.$ZodType, path: readonly string[]): SecretKind | null | undefined {
  const kind = marks.get(schema as z.ZodType)?.secret;
  if (kind !== undefined) return kind;
  const { innerType, in: input, shape, element, valueType } = schema._zod.def as unknown as Def;
  const inner = innerType ?? input;
  if (inner !== undefined) return secretAt(inner, path);
  const [key, ...rest] = path;
  if (element !== undefined) {
    const below = key !== undefined && /^\d+$/.test(key) ? rest : path;
    return key === undefined ? (secretAt(element, []) ?? null) : secretAt(element, below);
  }
  if (key === undefined) return null;
  // A name that every object inherits, such as `constructor`, is no setting.
  const next = shape === undefined ? valueType : Object.hasOwn(shape, key) ? shape[key] : undefined;
  return next === undefined ? undefined : secretAt(next, rest);
}
