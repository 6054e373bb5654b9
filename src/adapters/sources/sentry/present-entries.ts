/** Returns the entries that are neither null nor undefined. */
export const presentEntries = (said: Record<string, string | null | undefined>): Record<string, string> =>
  Object.fromEntries(Object.entries(said).filter((entry): entry is [string, string] => entry[1] != null));
