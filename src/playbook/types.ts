import type { Severity } from "../contract/common.ts";
import type { PlaybookStep, SymptomPattern } from "../contract/playbook.ts";
import type { playbooks } from "../db/schema.ts";

export type PlaybookRow = Omit<typeof playbooks.$inferSelect, "pattern" | "steps"> & {
  pattern: SymptomPattern;
  steps: PlaybookStep[];
};

/** What an incident looks like. */
export type Symptoms = {
  /** Of the alerts that fire. */
  alert_names: readonly string[];
  services: readonly string[];
  severity: Severity;
};

/** From when on a playbook answers. */
export type MatchTerms = {
  /** Of the incident to the pattern, 0 to 1. */
  similarity: number;
  /** Of those that have run. */
  success_rate: number;
};
