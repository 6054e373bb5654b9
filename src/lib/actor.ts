/** Roles of people, least powerful first; each includes the rights of those before it. */
export const ROLES = ["viewer", "responder", "approver", "admin"] as const;
export type Role = (typeof ROLES)[number];

/**
 * On whose behalf a verb runs. A person authenticated with a token; a sender is an alert source that
 * passed the sender check; the system is a part of AWOOOI itself. Every verb says which kinds it admits.
 */
export type Actor =
  | { kind: "person"; person_id: string; name: string; role: Role; token_id: string }
  | { kind: "sender"; name: string }
  | { kind: "system"; name: "intake" | "pipeline" | "sweep" | "retention" | "bootstrap" };

/**
 * Names that no person may have: AWOOOI's own parts, the origins of decisions and authority, and actors that the
 * configuration creates. The same holds for a name with its kind, such as `sweep (system)`.
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

/** Returns the kind of a row's actor as it is shown: `unknown` for null, in rows written before kinds were stored. */
export const kindOf = (kind: string | null): Actor["kind"] | "policy" | "unknown" =>
  (["person", "system", "sender", "policy"] as const).find((one) => one === kind) ?? "unknown";

/** Returns the actor's name for people: `ada`, `alertmanager (sender)`, `sweep (system)`. */
export function actorLabel(actor: Actor): string {
  return actor.kind === "person" ? actor.name : `${actor.name} (${actor.kind})`;
}
