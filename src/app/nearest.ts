import { closest, distance } from "fastest-levenshtein";

/** The name that was most likely meant, or undefined when none is close. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const best = closest(name, names);
  return distance(name, best) <= Math.max(2, name.length / 3) ? best : undefined;
}
