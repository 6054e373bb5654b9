const SEVERITIES = new Map([
  ["fatal", "critical"],
  ["critical", "critical"],
  ["error", "high"],
  ["warning", "warning"],
  ["info", "info"],
  ["debug", "info"],
  ["sample", "info"],
]);

/** Our word for one of Sentry's levels; a word that Sentry does not have stays as it is. */
export function severityOfLevel(level: string | null): string | null {
  return level === null ? null : (SEVERITIES.get(level.toLowerCase()) ?? level);
}

/** What is there of these. */
export const given = (said: Record<string, string | null | undefined>): Record<string, string> =>
  Object.fromEntries(Object.entries(said).filter((entry): entry is [string, string] => entry[1] != null));
