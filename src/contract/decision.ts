import { z } from "zod";
import { risk, wireTime } from "./common.ts";
import { operationTarget } from "./incident.ts";

/** A typed operation as it crosses the wire: its kind, the object it acts on, its parameters. */
export const operation = z.object({
  kind: z.string(),
  target: operationTarget.nullable(),
  parameters: z.record(z.string(), z.unknown()),
});

export const policyVerdict = z.object({
  /** `auto`: it runs by itself, unless a guardrail blocks it. */
  outcome: z.enum(["ask", "auto", "manual", "none"]),
  rule: z.string(),
  reason: z.string(),
  /** The guardrails that keep it from running by itself. */
  blocked_by: z.array(z.object({ guardrail: z.string(), reason: z.string() })).optional(),
});
export type PolicyVerdict = z.infer<typeof policyVerdict>;

export const decision = z.object({
  token: z.string(),
  incident_id: z.string(),
  state: z.enum(["init", "analyzing", "ready", "executing", "completed", "error", "superseded"]),
  source: z.string(),
  rule_id: z.string().nullable(),
  summary: z.string(),
  confidence: z.number(),
  proposal: z.object({
    action: z.string(),
    operation,
    /** Operations after the first, in order. */
    further: z.array(operation).optional(),
    playbook_id: z.string().optional(),
    playbook_hash: z.string().optional(),
    description: z.string(),
    risk_level: risk,
    reasoning: z.string(),
  }),
  policy: policyVerdict,
  created_at: wireTime,
  ready_at: wireTime.nullable(),
  valid_until: wireTime,
});
export type Decision = z.infer<typeof decision>;
