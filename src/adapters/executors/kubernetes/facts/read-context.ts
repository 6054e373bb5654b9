import type { OperationTarget } from "../../../../contract/incident.ts";
import { clip } from "../../../../lib/clip.ts";
import { type Cluster, during } from "../cluster/client.ts";
import { failureOf } from "../cluster/failure.ts";

/** The state of reading one target: what to read, the signal that ends it, and what could not be read. */
export type ReadContext = {
  cluster: Cluster;
  target: OperationTarget;
  namespace: string;
  now: Date;
  signal: AbortSignal;
  /** The option that aborts calls of the library's API classes when `signal` is aborted. */
  until: ReturnType<typeof during>;
  /** What could not be read, as text, each once. */
  missing: Set<string>;
};

/** The most objects that are read of each list. */
export const LIMITS = {
  pods: 250,
  revisions: 60,
  services: 250,
  others: 100,
  looked_at: 8,
  nodes: 10,
} as const;

export function createReadContext(
  cluster: Cluster,
  target: OperationTarget,
  now: Date,
  signal: AbortSignal,
): ReadContext {
  const namespace = target.namespace ?? "default";
  return { cluster, target, namespace, now, signal, until: during(signal), missing: new Set() };
}

/** Tells whether the error means that the object does not exist, rather than that it could not be read. */
export const isMissing = (error: unknown): boolean => failureOf(error).status === 404;

function why(error: unknown, permission: string, signal: AbortSignal): string {
  if (signal.aborted) return "the time limit was reached";
  const { status, message } = failureOf(error);
  // The server's message names the account; naming the missing permission helps more.
  if (status === 403) return `not allowed: the permission to ${permission} is missing`;
  return clip(message, 300);
}

/**
 * Returns the result of `read`; if it fails, `otherwise`, with a line in `missing`, except for a 404. `permission` names
 * the permission that it needs, such as `list pods in prod`.
 */
export async function attempt<T>(
  { missing, signal }: ReadContext,
  what: string,
  permission: string,
  otherwise: T,
  read: () => Promise<T>,
): Promise<T> {
  if (signal.aborted) {
    missing.add(`${what}: the time limit was reached`);
    return otherwise;
  }
  try {
    return await read();
  } catch (error) {
    if (!isMissing(error)) missing.add(`${what}: ${why(error, permission, signal)}`);
    return otherwise;
  }
}

type Page<T> = { items: T[]; metadata?: { _continue?: string; remainingItemCount?: number } };

/** Returns the entries of a page, and notes in `missing` if there are more. */
export function entries<T>(reading: ReadContext, what: string, page: Page<T>): T[] {
  if (page.metadata?._continue) reading.missing.add(`${what}: only the first ${page.items.length} were read`);
  return page.items;
}

/** Returns labels as the selector of a query; undefined if empty, as that would select everything. */
export function selectorText(labels: Record<string, string> | undefined): string | undefined {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? undefined : pairs.join(",");
}

type Selector = {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
};

/** Does the same for the pod selector of a workload. */
export function workloadSelector({ matchLabels, matchExpressions = [] }: Selector = {}): string | undefined {
  const expressions = matchExpressions.map(({ key, operator, values = [] }) => {
    if (operator === "Exists") return key;
    if (operator === "DoesNotExist") return `!${key}`;
    return `${key} ${operator === "NotIn" ? "notin" : "in"} (${values.join(",")})`;
  });
  const all = [selectorText(matchLabels), ...expressions].filter(Boolean);
  return all.length === 0 ? undefined : all.join(",");
}

/** Tells whether a selector matches an object with these labels. */
export function picks(
  { matchLabels = {}, matchExpressions = [] }: Selector,
  labels: Record<string, string> = {},
) {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === "Exists") return value !== undefined;
      if (operator === "DoesNotExist") return value === undefined;
      const among = value !== undefined && values.includes(value);
      return operator === "In" ? among : !among;
    })
  );
}
