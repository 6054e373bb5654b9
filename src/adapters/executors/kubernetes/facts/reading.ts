import type { OperationTarget } from "../../../../contract/incident.ts";
import { clip } from "../../../../lib/clip.ts";
import { type Cluster, during } from "../cluster/client.ts";
import { failureOf } from "../cluster/failure.ts";

/** One reading of a target: what is asked, until when, and what could not be had. */
export type Reading = {
  cluster: Cluster;
  target: OperationTarget;
  namespace: string;
  now: Date;
  signal: AbortSignal;
  /** The option that ends a call of the library's classes with the reading. */
  until: ReturnType<typeof during>;
  /** In words, each once. */
  missing: Set<string>;
};

/** More pods than these are not looked at; so are other lists, each at its own number. */
export const LIMITS = {
  pods: 250,
  revisions: 60,
  services: 250,
  others: 100,
  looked_at: 8,
  nodes: 10,
} as const;

export function startReading(
  cluster: Cluster,
  target: OperationTarget,
  now: Date,
  signal: AbortSignal,
): Reading {
  const namespace = target.namespace ?? "default";
  return { cluster, target, namespace, now, signal, until: during(signal), missing: new Set() };
}

/** Whether it is not there: as against cannot be told. */
export const isMissing = (error: unknown): boolean => failureOf(error).status === 404;

function why(error: unknown, permission: string, signal: AbortSignal): string {
  if (signal.aborted) return "there was no time left";
  const { status, message } = failureOf(error);
  // What the server says names the account; which right is lacking is what helps.
  if (status === 403) return `not allowed: the permission to ${permission} is lacking`;
  return clip(message, 300);
}

/**
 * What `read` comes to, or `otherwise` with a line in what is missing. `permission` is what it takes, as
 * `list pods in prod`. What is not there is not missing.
 */
export async function attempt<T>(
  { missing, signal }: Reading,
  what: string,
  permission: string,
  otherwise: T,
  read: () => Promise<T>,
): Promise<T> {
  if (signal.aborted) {
    missing.add(`${what}: there was no time left`);
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

/** The entries of a list, saying where there are more than were asked for. */
export function entries<T>(reading: Reading, what: string, page: Page<T>): T[] {
  if (page.metadata?._continue)
    reading.missing.add(`${what}: there are more than the ${page.items.length} that were looked at`);
  return page.items;
}

/** A label selector in the form of a query. Undefined where it is empty: that would be everything. */
export function selectorText(labels: Record<string, string> | undefined): string | undefined {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? undefined : pairs.join(",");
}

type Selector = {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
};

/** The same of what workloads select their pods by. */
export function workloadSelector({ matchLabels, matchExpressions = [] }: Selector = {}): string | undefined {
  const expressions = matchExpressions.map(({ key, operator, values = [] }) => {
    if (operator === "Exists") return key;
    if (operator === "DoesNotExist") return `!${key}`;
    return `${key} ${operator === "NotIn" ? "notin" : "in"} (${values.join(",")})`;
  });
  const all = [selectorText(matchLabels), ...expressions].filter(Boolean);
  return all.length === 0 ? undefined : all.join(",");
}

/** Whether a selector picks what carries these labels. */
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
