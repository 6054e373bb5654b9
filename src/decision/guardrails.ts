import type { Severity } from "../contract/common.ts";
import type { PolicyVerdict } from "../contract/decision.ts";
import { allowsRepair } from "../intake/index.ts";
import { clip } from "../lib/clip.ts";
import { inWords, type Operation, traitsOf } from "../operation/index.ts";
import { meetsSuccessRate, type PlaybookRow, successRate } from "../playbook/index.ts";
import type { Mode } from "./policy.ts";
import type { Repair } from "./service-registry.ts";

/** What is known at the moment of judging whether a playbook may run by itself. */
export type GuardrailFacts = {
  mode: Mode;
  /** What the rules of policy say of each operation now, whatever they said when it was decided. */
  policy: readonly PolicyVerdict[];
  /** The label `auto_repair` of every alert that fires; null: it has none. */
  labels: readonly (string | null)[];
  /** Something that a sender said was not read, or not kept. */
  incomplete: boolean;
  /** What the service registry says of what is touched, of each by itself. */
  services: readonly { service: string; repair: Repair }[];
  /** Whether there may be more services than are known. */
  more_services: boolean;
  /** The worst that any of its alerts and effects has. */
  severity: Severity;
  /** Of all its alerts and effects. */
  categories: readonly string[];
  /** The tier of trouble that keeps coming back, 1 to 4. */
  escalation_level: number;
  /** How often a target of it was repaired by itself within 30 days, and from how often on that is too much. */
  repeats: { target: string; times: number; most: number } | null;
  /** Services that the playbook is for, and what it would act on that is none of them. */
  strangers: { services: readonly string[]; targets: readonly string[] };
  operations: readonly Operation[];
  risk_level: "low" | "medium" | "high" | "critical";
  /** null: it is gone. */
  playbook: Pick<PlaybookRow, "name" | "status" | "runs" | "successes" | "trust"> | null;
  /** Why the approval of the playbook is no authority any more; null: it is. */
  approver_lapsed: string | null;
  terms: { success_rate: number; trust: number; cold_start: boolean };
  /** What was tried about this incident before. */
  earlier: { rejected: boolean; failed: boolean };
  /** What stops every automatic change now: a freeze, or that there were enough of them; null: nothing. */
  stopped: string | null;
  /** Names of the checks of the dry-run that did not pass; null: nothing was tried. */
  failed_checks: readonly string[] | null;
};

export type Blocked = NonNullable<PolicyVerdict["blocked_by"]>[number];

type Guardrail = { id: string; blocks: (facts: GuardrailFacts) => string | false };

const percent = (part: number) => `${Math.round(part * 100)} %`;

const LONGEST_LABEL = 80;

/** Why the label `auto_repair` of one of these alerts keeps it from being repaired by itself, if it does. */
export function forbiddenByLabel(labels: readonly (string | null | undefined)[]): string | undefined {
  const other = labels.find((label) => !allowsRepair(label));
  return other == null ? undefined : `an alert has the label auto_repair="${clip(other, LONGEST_LABEL)}"`;
}

const OWN_GUARDRAIL = ["shadow", "suggest", "security"];

/** Every one is asked: people read all that blocks, not the first of it. */
const GUARDRAILS: readonly Guardrail[] = [
  { id: "mode", blocks: ({ mode }) => mode !== "auto" && `the mode is ${mode}` },
  {
    id: "policy",
    blocks: ({ policy }) => {
      // What has a guardrail of its own is said there.
      const other = policy.find(({ outcome, rule }) => outcome !== "auto" && !OWN_GUARDRAIL.includes(rule));
      return other !== undefined && `policy does not let it run by itself: ${other.reason}`;
    },
  },
  {
    id: "auto_repair_label",
    blocks: ({ labels }) => forbiddenByLabel(labels) ?? false,
  },
  {
    id: "incomplete_alert",
    blocks: ({ incomplete }) =>
      incomplete && "an alert was not read whole: what is missing may say that it is for people",
  },
  {
    id: "service_registry",
    blocks: ({ services }) => {
      const kept = services.filter((one) => one.repair !== "auto");
      if (kept.length === 0) return false;
      const said = new Set(kept.map((one) => `${one.repair} of ${one.service}`));
      return `the service registry says ${[...said].join(", ")}`;
    },
  },
  {
    id: "many_services",
    blocks: ({ more_services }) =>
      more_services && "it affects more services than are kept: not all are known",
  },
  {
    id: "playbook_services",
    blocks: ({ strangers: { services, targets } }) =>
      targets.length > 0 && `its playbook is for ${services.join(", ")}, and not for ${targets.join(", ")}`,
  },
  {
    id: "severity",
    blocks: ({ severity }) =>
      (severity === "P0" || severity === "P1") && `${severity} is for people: only P2 and P3 are not`,
  },
  {
    id: "category",
    blocks: ({ categories }) => categories.includes("secops") && "security alerts are for people",
  },
  {
    id: "destructive",
    blocks: ({ operations }) => {
      const one = operations.find((operation) => {
        const { data_impact, scope } = traitsOf(operation);
        return data_impact === "DESTRUCTIVE" || scope === "admin";
      });
      return one !== undefined && `what it does cannot be taken back: ${inWords(one)}`;
    },
  },
  {
    id: "tier",
    blocks: ({ escalation_level: tier, repeats }) => {
      if (tier >= 4) return "it keeps coming back (tier 4): repairing it again is treating the symptom";
      if (repeats === null || repeats.times < repeats.most) return false;
      return `${repeats.target} was repaired by itself ${repeats.times} times within 30 days: that is treating the symptom`;
    },
  },
  {
    id: "playbook_status",
    blocks: ({ playbook }) => {
      if (playbook === null) return "its playbook is gone";
      return playbook.status !== "approved" && `its playbook is ${playbook.status}`;
    },
  },
  { id: "approver_lapsed", blocks: ({ approver_lapsed }) => approver_lapsed ?? false },
  {
    id: "success_rate",
    blocks: ({ playbook, terms }) =>
      playbook !== null &&
      !meetsSuccessRate(playbook, terms) &&
      `its playbook worked in ${percent(successRate(playbook) ?? 0)} of its runs, and ${percent(terms.success_rate)} are asked for`,
  },
  {
    id: "trust",
    blocks: ({ playbook, terms }) =>
      playbook !== null &&
      playbook.runs > 0 &&
      playbook.trust < terms.trust &&
      `its playbook has earned a trust of ${playbook.trust.toFixed(2)}, and ${terms.trust} is asked for`,
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
      earlier.rejected && "people have rejected a plan for this incident, or within a day for its target",
  },
  {
    id: "failed_before",
    blocks: ({ earlier }) =>
      earlier.failed && "an automatic repair of this incident, or within a day of its target, has failed",
  },
  { id: "circuit_breaker", blocks: ({ stopped }) => stopped ?? false },
  {
    id: "dry_run",
    blocks: ({ failed_checks: failed }) => {
      if (failed === null) return "it was not tried out";
      return failed.length > 0 && `not all checks passed: ${failed.join(", ")}`;
    },
  },
];

export const GUARDRAIL_IDS = GUARDRAILS.map((one) => one.id);

/** Whether a playbook may run by itself, and if not, all that blocks it. Pure. */
export function evaluate(facts: GuardrailFacts): { blocked_by: Blocked[]; cold_start: boolean } {
  const blocked_by = GUARDRAILS.flatMap(({ id, blocks }) => {
    const reason = blocks(facts);
    return reason === false ? [] : [{ guardrail: id, reason }];
  });
  return { blocked_by, cold_start: facts.playbook?.runs === 0 };
}
