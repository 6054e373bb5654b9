type Path = readonly string[];

/** The dotted places of everything in a JSON value, parents before what they hold. */
export function pathsOf(value: unknown, path: Path = []): string[] {
  if (value === null || typeof value !== "object") return path.length > 0 ? [path.join("\0")] : [];
  const below = Object.entries(value).flatMap(([key, item]) => pathsOf(item, [...path, key]));
  return path.length > 0 ? [path.join("\0"), ...below] : below;
}

export const dotted = (path: string) => path.replaceAll("\0", ".");

/** A copy of `value` with another one at `path`; undefined takes the field away. */
export function withField(value: object, path: string, field: unknown): object {
  const copy = structuredClone(value) as Record<string, unknown>;
  const keys = path.split("\0");
  const last = keys.pop() as string;
  const parent = keys.reduce((at, key) => at[key] as Record<string, unknown>, copy);
  if (field === undefined && Array.isArray(parent)) parent.splice(Number(last), 1);
  else if (field === undefined) delete parent[last];
  else parent[last] = field;
  return copy;
}
