import type { Severity } from "../contract/common.ts";
import type { PolicyVerdict } from "../contract/decision.ts";
import { allowsRepair } from "../intake/index.ts";
import { clip } from "../lib/clip.ts";
import { inWords, type Operation, traitsOf } from "../operation/index.ts";
import { meetsSuccessRate, type PlaybookRow, successRate } from "../playbook/index.ts";
import type { Mode } from "./policy.ts";
import type { Repair } from "./service-registry.ts";

/** The facts by which it is judged whether a playbook may run by itself. */
export type GuardrailFacts = {
  mode: Mode;
  /** The policy's verdicts on the operations now, whatever they were when the decision was made. */
  policy: readonly PolicyVerdict[];
  /** The label `auto_repair` of every firing alert; null: the alert has none. */
  labels: readonly (string | null)[];
  /** Whether part of what a sender sent was not read or not kept. */
  incomplete: boolean;
  /** The service registry's verdict on each thing that is touched. */
  services: readonly { service: string; repair: Repair }[];
  /** Whether more services may be affected than are stored. */
  more_services: boolean;
  /** The worst severity of the incident, its alerts and its effects. */
  severity: Severity;
  /** Categories of the incident, its alerts and its effects. */
  categories: readonly string[];
  /** The escalation tier of recurring trouble, 1 to 4. */
  escalation_level: number;
  /** The most automatic repairs of one target within 30 days (`times`), and the number from which it blocks (`most`). */
  repeats: { target: string; times: number; most: number } | null;
  /** Services that the playbook is for, and targets of it that are none of them. */
  strangers: { services: readonly string[]; targets: readonly string[] };
  operations: readonly Operation[];
  risk_level: "low" | "medium" | "high" | "critical";
  /** null: it was deleted or has changed since. */
  playbook: Pick<PlaybookRow, "name" | "status" | "runs" | "successes" | "trust"> | null;
  /** Why the approval of the playbook no longer counts; null: it does. */
  approver_lapsed: string | null;
  terms: { success_rate: number; trust: number; cold_start: boolean };
  /** Whether a plan was rejected, or an automatic repair failed, before. */
  earlier: { rejected: boolean; failed: boolean };
  /** What stops these automatic changes now: a freeze or an hourly rate; null: nothing. */
  stopped: string | null;
  /** Names of the dry-run's failed checks; null: there was no dry-run. */
  failed_checks: readonly string[] | null;
};

export type Blocked = NonNullable<PolicyVerdict["blocked_by"]>[number];

type Guardrail = { id: string; blocks: (facts: GuardrailFacts) => string | false };

const percent = (part: number) => `${Math.round(part * 100)} %`;

const LONGEST_LABEL = 80;

/** Returns why one of these values of the label `auto_repair` forbids an automatic repair; undefined if none does. */
export function forbiddenByLabel(labels: readonly (string | null | undefined)[]): string | undefined {
  const other = labels.find((label) => !allowsRepair(label));
  return other == null ? undefined : `an alert has the label auto_repair="${clip(other, LONGEST_LABEL)}"`;
}

const OWN_GUARDRAIL = ["shadow", "suggest", "security"];

/** All guardrails are evaluated, so that people read every reason and not only the first. */
const GUARDRAILS: readonly Guardrail[] = [
  { id: "mode", blocks: ({ mode }) => mode !== "auto" && `the mode is ${mode}` },
  {
    id: "policy",
    blocks: ({ policy }) => {
      // Policy rules that have a guardrail of their own are reported by that one.
      const other = policy.find(({ outcome, rule }) => outcome !== "auto" && !OWN_GUARDRAIL.includes(rule));
      return other !== undefined && `the policy does not allow an automatic run: ${other.reason}`;
    },
  },
  {
    id: "auto_repair_label",
    blocks: ({ labels }) => forbiddenByLabel(labels) ?? false,
  },
  {
    id: "incomplete_alert",
    blocks: ({ incomplete }) =>
      incomplete && "an alert was read or stored incompletely: the missing part may forbid automatic repair",
  },
  {
    id: "service_registry",
    blocks: ({ services }) => {
      const kept = services.filter((one) => one.repair !== "auto");
      if (kept.length === 0) return false;
      const said = new Set(kept.map((one) => `${one.repair} for ${one.service}`));
      return `the service registry says ${[...said].join(", ")}`;
    },
  },
  {
    id: "many_services",
    blocks: ({ more_services }) =>
      more_services && "it affects more services than are stored: some are unknown",
  },
  {
    id: "playbook_services",
    blocks: ({ strangers: { services, targets } }) =>
      targets.length > 0 && `its playbook covers ${services.join(", ")}, not ${targets.join(", ")}`,
  },
  {
    id: "severity",
    blocks: ({ severity }) =>
      (severity === "P0" || severity === "P1") &&
      `${severity} needs a person: only P2 and P3 may be automatic`,
  },
  {
    id: "category",
    blocks: ({ categories }) => categories.includes("secops") && "security alerts are never automatic",
  },
  {
    id: "destructive",
    blocks: ({ operations }) => {
      const one = operations.find((operation) => {
        const { data_impact, scope } = traitsOf(operation);
        return data_impact === "DESTRUCTIVE" || scope === "admin";
      });
      return one !== undefined && `it cannot be undone: ${inWords(one)}`;
    },
  },
  {
    id: "tier",
    blocks: ({ escalation_level: tier, repeats }) => {
      if (tier >= 4) return "it keeps recurring (tier 4): another repair only treats the symptom";
      if (repeats === null || repeats.times < repeats.most) return false;
      return `${repeats.target} was repaired automatically ${repeats.times} times within 30 days: another repair only treats the symptom`;
    },
  },
  {
    id: "playbook_status",
    blocks: ({ playbook }) => {
      if (playbook === null) return "its playbook was deleted or changed";
      return playbook.status !== "approved" && `its playbook is ${playbook.status}`;
    },
  },
  { id: "approver_lapsed", blocks: ({ approver_lapsed }) => approver_lapsed ?? false },
  {
    id: "success_rate",
    blocks: ({ playbook, terms }) =>
      playbook !== null &&
      !meetsSuccessRate(playbook, terms) &&
      `its playbook succeeded in ${percent(successRate(playbook) ?? 0)} of its runs; ${percent(terms.success_rate)} are required`,
  },
  {
    id: "trust",
    blocks: ({ playbook, terms }) =>
      playbook !== null &&
      playbook.runs > 0 &&
      playbook.trust < terms.trust &&
      `its playbook has a trust of ${playbook.trust.toFixed(2)}; ${terms.trust} is required`,
  },
  {
    id: "cold_start",
    blocks: ({ playbook, risk_level, terms }) => {
      if (playbook === null || playbook.runs > 0) return false;
      if (!terms.cold_start) return "its playbook has never run, and cold_start is off";
      return risk_level !== "low" && `its playbook has never run, and its risk is ${risk_level}`;
    },
  },
  {
    id: "people_rejected",
    blocks: ({ earlier }) =>
      earlier.rejected && "a plan for this incident, or within a day for its target, was rejected",
  },
  {
    id: "failed_before",
    blocks: ({ earlier }) =>
      earlier.failed && "an automatic repair of this incident, or within a day of its target, failed",
  },
  { id: "circuit_breaker", blocks: ({ stopped }) => stopped ?? false },
  {
    id: "dry_run",
    blocks: ({ failed_checks: failed }) => {
      if (failed === null) return "there was no dry-run";
      return failed.length > 0 && `checks failed: ${failed.join(", ")}`;
    },
  },
];

export const GUARDRAIL_IDS = GUARDRAILS.map((one) => one.id);

/** Returns everything that blocks a playbook from running by itself; empty when it may. Pure. */
export function evaluateGuardrails(facts: GuardrailFacts): { blocked_by: Blocked[]; cold_start: boolean } {
  const blocked_by = GUARDRAILS.flatMap(({ id, blocks }) => {
    const reason = blocks(facts);
    return reason === false ? [] : [{ guardrail: id, reason }];
  });
  return { blocked_by, cold_start: facts.playbook?.runs === 0 };
}
