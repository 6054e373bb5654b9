import { distance } from "fastest-levenshtein";

const CLOSE = 3;

/** Returns the names within 3 edits of `wanted`, or of which one is a prefix of the other; closest first. */
export function closeNames(wanted: string, names: readonly string[]): string[] {
  const low = wanted.toLowerCase();
  if (low === "" || low.length > 100) return [];
  const scored = names.map((name) => {
    const edits = distance(low, name.toLowerCase());
    const begins = name.toLowerCase().startsWith(low) || low.startsWith(name.toLowerCase());
    // Three edits turn any word of up to three letters into any other.
    const close = edits <= CLOSE && edits < Math.min(low.length, name.length);
    return { name, edits, close: close || begins };
  });
  return scored
    .filter(({ close }) => close)
    .sort((a, b) => a.edits - b.edits)
    .map(({ name }) => name);
}
