import { redactText } from "../../../../lib/redact.ts";
import { plain } from "../cluster/failure.ts";
import { EXECUTION } from "./annotations.ts";

// Fields that the server writes by itself, or that repeat others.
const NOISE = new Set([
  "status",
  "metadata.managedFields",
  "metadata.resourceVersion",
  "metadata.generation",
  "metadata.creationTimestamp",
  "metadata.uid",
  "metadata.selfLink",
  `metadata.annotations[${EXECUTION}]`,
  `spec.template.metadata.annotations[${EXECUTION}]`,
  "metadata.annotations[deprecated.daemonset.template.generation]",
  "metadata.annotations[kubectl.kubernetes.io/last-applied-configuration]",
]);
const SECRET_NAME = /passw|secret|token|key|credential|auth|private|cookie|dsn|pwd/i;
const MAX_LINES = 200;

/** Returns a list's items by name, because their position means nothing; undefined if they have no unique names. */
function named(list: readonly unknown[]): Map<string, unknown> | undefined {
  const names = list.map((item) => (item as { name?: unknown } | null)?.name);
  if (names.some((name) => typeof name !== "string") || new Set(names).size < names.length) return undefined;
  return new Map(list.map((item, index) => [names[index] as string, item]));
}

type Fields = Map<string, unknown>;

/** Returns the inner values of an object or list by their path segment; undefined for other values. */
function fieldsOf(value: unknown, keyed: boolean): Fields | undefined {
  if (Array.isArray(value)) {
    const byName = named(value) ?? new Map(value.map((item, index) => [String(index), item]));
    return new Map([...byName].map(([name, item]) => [`[${name}]`, item]));
  }
  if (typeof value !== "object" || value === null) return undefined;
  const end = (key: string) => (keyed || !/^\w+$/.test(key) ? `[${key}]` : `.${key}`);
  return new Map(Object.entries(value).map(([key, item]) => [end(key), item]));
}

function text(path: string, value: unknown): string {
  if (value === undefined || value === null) return "none";
  const secret = /\.env\[/.test(path) && SECRET_NAME.test(path.slice(path.indexOf(".env[")));
  if (secret && path.endsWith(".value")) return "[redacted]";
  const said = typeof value === "string" ? value : JSON.stringify(value);
  return said === "" ? '""' : plain(redactText(said), 300);
}

function* walk(path: string, before: unknown, after: unknown): Generator<string> {
  if (NOISE.has(path)) return;
  // The keys of these maps are free text and may contain dots.
  const keyed = /\.(annotations|labels|nodeSelector|matchLabels)$/.test(path);
  const [old, now] = [fieldsOf(before, keyed), fieldsOf(after, keyed)];
  if (old === undefined && now === undefined) {
    if (before !== after && (before ?? null) !== (after ?? null))
      yield `${plain(path, 300)}: ${text(path, before)} → ${text(path, after)}`;
    return;
  }
  // A value that is an object on one side only is also compared field by field.
  for (const end of new Set([...(old?.keys() ?? []), ...(now?.keys() ?? [])]))
    yield* walk(path === "" ? end.replace(/^\./, "") : path + end, old?.get(end), now?.get(end));
}

/**
 * Returns the differences between two states of an object, one line per field path; null if there are none. Omits the
 * server's bookkeeping and redacts what looks like a secret.
 */
export function fieldDiff(before: unknown, after: unknown): string | null {
  const lines = [...walk("", before, after)];
  if (lines.length === 0) return null;
  const more = lines.length - MAX_LINES;
  return [...lines.slice(0, MAX_LINES), ...(more > 0 ? [`… and ${more} more`] : [])].join("\n");
}
