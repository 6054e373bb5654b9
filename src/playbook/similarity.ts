import type { Severity } from "../contract/common.ts";
import type { SymptomPattern } from "../contract/playbook.ts";
import type { Symptoms } from "./types.ts";

// Alert names weigh most. At the default threshold of 0.85 there is no match below 70 % of the names, below half of the
// services, or two severity levels away.
const WEIGHTS = { alert_names: 0.5, services: 0.3, severity: 0.2 };
const SEVERITIES: readonly Severity[] = ["P0", "P1", "P2", "P3"];

const fold = (text: string) => text.trim().toLowerCase();

/** Returns the share of `there` that the pattern contains. */
function known(there: readonly string[], pattern: readonly string[]): number {
  if (there.length === 0) return 0;
  const names = new Set(pattern.map(fold));
  return there.filter((one) => names.has(fold(one))).length / there.length;
}

function nearness(severity: Severity, pattern: readonly Severity[]): number {
  const rank = SEVERITIES.indexOf(severity);
  const away = Math.min(...pattern.map((one) => Math.abs(SEVERITIES.indexOf(one) - rank)));
  return Math.max(0, 1 - away / 2);
}

/**
 * Returns how similar an incident is to a pattern, 0 to 1: 1 where the pattern contains everything of it, 0 where they
 * share no alert name. A pattern may list more than the incident has. Pure.
 */
export function similarity({ alert_names, services, severity }: Symptoms, pattern: SymptomPattern): number {
  const names = known(alert_names, pattern.alert_names);
  if (names === 0) return 0;
  const places = pattern.services.length === 0 ? 1 : known(services, pattern.services);
  const near = pattern.severities.length === 0 ? 1 : nearness(severity, pattern.severities);
  const sum = WEIGHTS.alert_names * names + WEIGHTS.services * places + WEIGHTS.severity * near;
  // Rounds floating-point errors away, so that a full match is exactly 1.
  return Math.round(sum * 1e6) / 1e6;
}
