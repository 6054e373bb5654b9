/** Returns the plural: `deployments`, `processes`, `addresses`, `entries`. */
export function plural(noun: string): string {
  if (/(s|x|z|ch|sh)$/.test(noun)) return `${noun}es`;
  return /[^aeiou]y$/.test(noun) ? `${noun.slice(0, -1)}ies` : `${noun}s`;
}

/** Returns count and noun: `1 check`, `2 checks`. */
export function counted(count: number, noun: string): string {
  return `${count} ${count === 1 ? noun : plural(noun)}`;
}

// Words that begin with a written vowel but a spoken consonant.
const SPOKEN = /^(uni(?!n|m)|us[ae]|eu|one)/i;

/** Returns the noun with its article: `a host`, `an ingress`, `a unit`, `an unknown`. */
export function withArticle(noun: string): string {
  return `${/^[aeiou]/i.test(noun) && !SPOKEN.test(noun) ? "an" : "a"} ${noun}`;
}
