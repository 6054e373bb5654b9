import type { Severity } from "../contract/common.ts";
import type { PlaybookStep, SymptomPattern } from "../contract/playbook.ts";
import type { playbooks } from "../db/schema.ts";

export type PlaybookRow = Omit<typeof playbooks.$inferSelect, "pattern" | "steps"> & {
  pattern: SymptomPattern;
  steps: PlaybookStep[];
};

/** The features of an incident that patterns match. */
export type Symptoms = {
  /** Names of the firing alerts. */
  alert_names: readonly string[];
  services: readonly string[];
  severity: Severity;
};

/** Thresholds for a playbook to match. */
export type MatchTerms = {
  /** Least similarity of the incident to the pattern, 0 to 1. */
  similarity: number;
  /** Least success rate, for playbooks that have run. */
  success_rate: number;
};
