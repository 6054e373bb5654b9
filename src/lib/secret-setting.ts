import { z } from "zod";

/**
 * What of a setting is secret. `value`: all of it. `environment`: of variables that others have named those whose name or
 * value says so. `headers`: the values of HTTP headers. `password`: the password in a URL. `address`: the URL, as who knows it may write there. `command`: the words of
 * a command that are credentials.
 */
export type SecretKind = "value" | "environment" | "headers" | "password" | "address" | "command";

const marks = z.registry<{ secret: SecretKind }>();

/** The same schema of a setting, marked as a secret: it is shown to nobody, and redacted wherever it is printed. */
export function secret<T extends z.ZodType>(schema: T, kind: SecretKind = "value"): T {
  // Of its own: the same schema may stand for settings that are none.
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
 * What is secret of the setting at a path of a schema, or of what it is a part of; null: nothing; undefined: the schema has
 * no such setting. A path may leave out places in lists.
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
  const next = shape === undefined ? valueType : shape[key];
  return next === undefined ? undefined : secretAt(next, rest);
}
