import { distance } from "fastest-levenshtein";

const CLOSE = 3;

/** The names that may have been meant by `wanted`, closest first: up to 3 edits, or one begins the other. */
export function closeNames(wanted: string, names: readonly string[]): string[] {
  const low = wanted.toLowerCase();
  if (low === "" || low.length > 100) return [];
  const scored = names.map((name) => {
    const edits = distance(low, name.toLowerCase());
    const begins = name.toLowerCase().startsWith(low) || low.startsWith(name.toLowerCase());
    // Three edits make any short word of any other.
    const close = edits <= CLOSE && edits < Math.min(low.length, name.length);
    return { name, edits, close: close || begins };
  });
  return scored
    .filter(({ close }) => close)
    .sort((a, b) => a.edits - b.edits)
    .map(({ name }) => name);
}
