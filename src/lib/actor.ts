/** What a person may do, least first; each includes the ones before it. */
export const ROLES = ["viewer", "responder", "approver", "admin"] as const;
export type Role = (typeof ROLES)[number];

/**
 * On whose behalf a verb runs. A person has come in with a token; a sender is an alert source that
 * passed its check; the system is a part of AWOOOI itself. Every verb says which of them it admits.
 */
export type Actor =
  | { kind: "person"; person_id: string; name: string; role: Role; token_id: string }
  | { kind: "sender"; name: string }
  | { kind: "system"; name: "intake" | "pipeline" | "sweep" | "retention" | "bootstrap" };

/**
 * Names that are no person's: of AWOOOI's own parts, of where decisions and authority come from, and of what the
 * configuration makes. Those with a kind behind them, as `sweep (system)`, are none either.
 */
export const SYSTEM_NAMES = [
  "intake",
  "pipeline",
  "sweep",
  "retention",
  "bootstrap",
  "configuration",
  "first start",
  "auto_approve",
  "auto_repair",
  "approval_executor",
  "planner",
  "policy",
  "system",
  "sender",
  "expert_system",
  "playbook",
  "learning",
  "consensus_engine",
  "undo",
  "silence",
  "maintenance",
  "inhibition",
  "awoooi",
  "nobody",
  "unknown",
] as const;

/** The kind of actor of a row, as it is shown; null: from before it was kept. */
export const kindOf = (kind: string | null): Actor["kind"] | "policy" | "unknown" =>
  (["person", "system", "sender", "policy"] as const).find((one) => one === kind) ?? "unknown";

/** The actor as people read it: `ada`, `alertmanager (sender)`, `sweep (system)`. */
export function actorLabel(actor: Actor): string {
  return actor.kind === "person" ? actor.name : `${actor.name} (${actor.kind})`;
}
