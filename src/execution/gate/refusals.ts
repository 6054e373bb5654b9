/** The codes of all refusals of the gateway, each with its gate; docs/reference/refusals.md says what to do. */
export const REFUSALS = {
  caller_unknown: 1,
  project_unknown: 1,
  tool_unknown: 2,
  tool_disabled: 2,
  arguments_invalid: 2,
  tool_changed: 2,
  scope_not_granted: 3,
  mode_shadow: 4,
  frozen: 4,
  freeze_window: 4,
  rate_target: 4,
  rate_total: 4,
  rate_automatic_target: 4,
  rate_automatic_total: 4,
  approval_missing: 5,
  plan_mismatch: 5,
  quorum_missing: 5,
  signature_lapsed: 5,
  authority_expired: 5,
  incident_over: 5,
  authority_policy: 5,
  guardrail_blocked: 5,
} as const satisfies Record<string, 1 | 2 | 3 | 4 | 5>;

export type RefusalCode = keyof typeof REFUSALS;

/** A refusal with its gate, 1 to 5; the message is for people. */
export type Refusal = { gate: 1 | 2 | 3 | 4 | 5; code: RefusalCode; message: string };

export function refusal(code: RefusalCode, message: string): Refusal {
  const gate = REFUSALS[code];
  return { gate, code, message: `Gate ${gate}: ${message}` };
}
