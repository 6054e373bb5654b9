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

/** The actor as people read it: `ada`, `alertmanager (sender)`, `sweep (system)`. */
export function actorLabel(actor: Actor): string {
  return actor.kind === "person" ? actor.name : `${actor.name} (${actor.kind})`;
}
