import type { SaidSeverity } from "../../intake/index.ts";

/** Describes a severity and the word that it comes from. */
export function severityText(said: SaidSeverity | null): string {
  if (said === null) return "none given: it follows from the risk";
  const { severity, said: word, by } = said;
  const named = JSON.stringify(word.length > 40 ? `${word.slice(0, 39).toWellFormed()}…` : word);
  if (by === "unknown_word") return `${severity}: the word ${named} is unknown: add it to intake.severities`;
  const spelled = said.word === word.trim().toLowerCase() ? "" : `, which is ${said.word}`;
  return `${severity}, by the word ${named}${by === "configuration" ? " of intake.severities" : spelled}`;
}
