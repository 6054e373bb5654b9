import type { PolicyVerdict } from "../contract/decision.ts";
import { changesSomething, manualCommand, type Operation } from "../operation/index.ts";

/**
 * `shadow` decides and records, and does nothing; `suggest` asks people before anything is changed; `auto` lets
 * playbooks run by themselves where no guardrail blocks them, and asks people about everything else.
 */
export type Mode = "shadow" | "suggest" | "auto";

export type PolicyFacts = {
  mode: Mode;
  notification_type: string;
  category: string;
  operation: Operation;
  /** Whether an executor for the operation is configured. */
  executable: boolean;
  /** Whether the operation comes from an approved playbook. */
  playbook: boolean;
};

type PolicyRule = {
  id: string;
  outcome: PolicyVerdict["outcome"];
  applies: (facts: PolicyFacts) => string | false;
};

// Ordered: the first rule that applies decides, and people read its reason.
const RULES: readonly PolicyRule[] = [
  {
    id: "information_only",
    outcome: "none",
    applies: ({ notification_type }) =>
      notification_type === "TYPE-1" && "the alert is informational: no action is needed",
  },
  {
    id: "no_action",
    outcome: "none",
    applies: ({ operation }) => operation.kind === "none" && "no action is needed",
  },
  {
    id: "read_only",
    outcome: "manual",
    applies: ({ operation }) =>
      !changesSomething(operation) && "no safe repair is known: a person should investigate",
  },
  {
    id: "shadow",
    outcome: "none",
    applies: ({ mode }) => mode === "shadow" && "the mode is shadow: this would have been proposed",
  },
  {
    id: "security",
    outcome: "manual",
    applies: ({ category }) => category === "secops" && "security alerts are never repaired from here",
  },
  {
    id: "not_executable",
    outcome: "manual",
    applies: ({ executable, operation }) => {
      if (executable) return false;
      const command = manualCommand(operation);
      const how = command === null ? "" : `; by hand: ${command}`;
      return `no configured executor can do this (${operation.kind})${how}`;
    },
  },
  {
    id: "playbook_by_itself",
    outcome: "auto",
    applies: ({ mode, playbook }) =>
      mode === "auto" &&
      playbook &&
      "the mode is auto and a playbook matches: it runs automatically unless a guardrail blocks it",
  },
  {
    id: "suggest",
    outcome: "ask",
    applies: ({ mode }) =>
      mode === "auto" ? "no approved playbook matches: people decide" : "the mode is suggest: people decide",
  },
];

/** Returns whether a plan is made that people or policy must approve. */
export const needsApproval = ({ outcome }: PolicyVerdict): boolean => outcome === "ask" || outcome === "auto";

/** Returns the policy's verdict on an operation: the outcome, the rule that decided, and its reason. Pure and total. */
export function evaluatePolicy(facts: PolicyFacts): PolicyVerdict {
  for (const { id, outcome, applies } of RULES) {
    const reason = applies(facts);
    if (reason !== false) return { outcome, rule: id, reason };
  }
  throw new Error("the last policy rule applies to everything");
}
