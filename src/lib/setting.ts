import { z } from "zod";

/**
 * What is secret in a setting. `value`: all of it. `environment`: variables whose name or value suggests a secret.
 * `headers`: the values of HTTP headers. `password`: the password in a URL. `address`: the whole URL, as it grants
 * write access. `command`: the words of a command that are credentials.
 */
export type SecretKind = "value" | "environment" | "headers" | "password" | "address" | "command";

type Marks = { secret?: SecretKind; restart?: true; example?: unknown; alternative?: true };

const registry = z.registry<Marks>();

/** Returns a copy of the schema with these marks: the same schema object may be used for other settings, too. */
function marked<T extends z.ZodType>(schema: T, marks: Marks): T {
  const copy: T = schema.clone(undefined, { parent: true });
  registry.add<z.ZodType>(copy, marks);
  return copy;
}

/** Marks a setting as secret: its value is never shown, and is redacted in all output. */
export const secret = <T extends z.ZodType>(schema: T, kind: SecretKind = "value"): T =>
  marked(schema, { secret: kind });

/** Marks a setting, with all settings in it, as one that a reload cannot change. */
export const needsRestart = <T extends z.ZodType>(schema: T): T => marked(schema, { restart: true });

/** Adds a value that the reference shows for a setting whose default says little: none, or an empty list. */
export const example = <T extends z.ZodType>(schema: T, value: z.input<T>): T =>
  marked(schema, { example: value });

/** Marks a setting that is given instead of another one: a sample shows it in a comment. */
export const alternative = <T extends z.ZodType>(schema: T): T => marked(schema, { alternative: true });

type Def = {
  innerType?: z.core.$ZodType;
  in?: z.core.$ZodType;
  defaultValue?: unknown;
  shape?: Readonly<Record<string, z.core.$ZodType>>;
  element?: z.core.$ZodType;
  valueType?: z.core.$ZodType;
};

/** What a schema says about a setting. */
export type SettingInfo = Marks & {
  description?: string;
  /** Its value if it is left out, as a file would have it: `30s`, not 30. Undefined: it has no default. */
  initial?: unknown;
  /** Its schema without defaults and the like. */
  base: z.core.$ZodType;
  /** The settings in it, if it is a section. */
  shape?: Readonly<Record<string, z.core.$ZodType>>;
  /** The schema of its items, if it is a list. */
  element?: z.core.$ZodType;
  /** The schema of its values, if it is a map whose keys the operator chooses. */
  values?: z.core.$ZodType;
};

/** Returns what a setting's schema says, whatever it is wrapped in: defaults, refinements, transformations. */
export function settingInfo(schema: z.core.$ZodType): SettingInfo {
  const { innerType, in: input, ...own } = schema._zod.def as unknown as Def;
  const { description } = z.globalRegistry.get(schema) ?? {};
  const inner = innerType ?? input;
  return {
    base: schema,
    ...(own.shape && { shape: own.shape }),
    ...(own.element && { element: own.element }),
    ...(own.valueType && { values: own.valueType }),
    ...(inner && settingInfo(inner)),
    // What an outer layer says is more precise.
    ...(own.defaultValue !== undefined && { initial: own.defaultValue }),
    ...(description !== undefined && { description }),
    ...registry.get(schema as z.ZodType),
  };
}

/** Returns the schema of a setting in another one, by name or list index; undefined if there is none. */
export function settingIn(schema: z.core.$ZodType, key: string): z.core.$ZodType | undefined {
  const { shape, element, values } = settingInfo(schema);
  if (element !== undefined) return /^\d+$/.test(key) ? element : undefined;
  // A name that every object inherits, such as `constructor`, is no setting.
  return shape === undefined ? values : Object.hasOwn(shape, key) ? shape[key] : undefined;
}

/**
 * Returns what is secret in the setting at `path`, or in a setting that contains it; null if nothing is, undefined if the
 * schema has no such setting. A path may leave out list indexes.
 */
export function secretAt(schema: z.core.$ZodType, path: readonly string[]): SecretKind | null | undefined {
  const { secret: kind, element } = settingInfo(schema);
  if (kind !== undefined) return kind;
  const [key, ...rest] = path;
  if (element !== undefined) {
    const below = key !== undefined && /^\d+$/.test(key) ? rest : path;
    return key === undefined ? (secretAt(element, []) ?? null) : secretAt(element, below);
  }
  if (key === undefined) return null;
  const next = settingIn(schema, key);
  return next === undefined ? undefined : secretAt(next, rest);
}

/**
 * Returns the shortest paths that are marked to need a restart, in the order of the schema. A list or map with such a
 * setting in it needs a restart as a whole.
 */
export function restartPaths(schema: z.core.$ZodType, path: readonly string[] = []): string[] {
  const { restart, shape = {} } = settingInfo(schema);
  if (restart || hasFixedItems(schema)) return [path.join(".")];
  return Object.entries(shape).flatMap(([name, inner]) => restartPaths(inner, [...path, name]));
}

function hasFixedItems(schema: z.core.$ZodType): boolean {
  const { element, values } = settingInfo(schema);
  return [element, values].some((inner) => inner !== undefined && hasFixed(inner, new Set()));
}

/** Returns whether a setting needs a restart, or one in it. `seen`: shapes that were looked at, as a route holds routes. */
function hasFixed(schema: z.core.$ZodType, seen: Set<object>): boolean {
  const { restart, shape, element, values } = settingInfo(schema);
  if (restart) return true;
  if (shape !== undefined && seen.has(shape)) return false;
  if (shape !== undefined) seen.add(shape);
  return [element, values, ...Object.values(shape ?? {})].some(
    (inner) => inner !== undefined && hasFixed(inner, seen),
  );
}
