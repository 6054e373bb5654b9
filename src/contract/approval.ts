import { z } from "zod";
import { pageQuery, risk, shownKind, wireId, wireText, wireTime } from "./common.ts";
import { operation } from "./decision.ts";
import { executionStatus } from "./execution-status.ts";

export const approvalStatus = z.enum([
  "preparing",
  "pending",
  "approved",
  "rejected",
  "expired",
  "executing",
  "execution_success",
  "execution_failed",
  "superseded",
]);
export type ApprovalStatus = z.infer<typeof approvalStatus>;

export const check = z.object({ name: z.string(), passed: z.boolean(), message: z.string() });
export type Check = z.infer<typeof check>;

const blastRadius = z.object({
  affected_pods: z.number().int(),
  /** Seconds. */
  estimated_downtime: z.number(),
  /** For people: what alerts call the services, and `belongs_to`. */
  related_services: z.array(z.string()),
  /** What the systems say that the targets belong to, and nobody else; missing: from before it was kept by itself. */
  belongs_to: z.array(z.string()).optional(),
  data_impact: z.enum(["NONE", "READ_ONLY", "WRITE", "DESTRUCTIVE"]),
});
export type BlastRadius = z.infer<typeof blastRadius>;

export const approval = z.object({
  approval_id: z.string(),
  incident_id: z.string(),
  decision_token: z.string(),
  status: approvalStatus,
  /** Where its execution stands, of several steps the latest; null: it has none. */
  execution_status: executionStatus.nullable().default(null),
  action: z.string(),
  operation,
  /** All that is done, in order; `operation` is the first. */
  steps: z.array(operation),
  /** Whose leave it is: people's signatures, or the policy of the installation. */
  authority: z.enum(["people", "policy"]),
  description: z.string(),
  risk_level: risk,
  blast_radius: blastRadius,
  dry_run_checks: z.array(check),
  plan_hash: z.string(),
  diff: z.string().nullable(),
  required_signatures: z.number().int(),
  signatures: z.array(
    z.object({
      signer: z.string(),
      /** Nobody else signs. */
      signer_kind: z.literal("person").default("person"),
      comment: z.string().nullable(),
      at: wireTime,
      /** Whether it counts; of what has been carried out whether it did then. */
      counts: z.boolean().default(true),
      /** Why it does not. */
      why_not: z.string().nullable().default(null),
    }),
  ),
  requested_by: z.string(),
  requested_by_kind: shownKind,
  /** What would refuse it if it were carried out now, whoever signs: a freeze, or the mode; null: nothing, or it is over. */
  stopped_by: z.string().nullable().default(null),
  reject_reason: z.string().nullable(),
  matched_playbook_id: z.string().nullable(),
  fingerprint: z.string(),
  hit_count: z.number().int(),
  created_at: wireTime,
  expires_at: wireTime.nullable(),
  decided_at: wireTime.nullable(),
  authority_until: wireTime.nullable(),
});
export type Approval = z.infer<typeof approval>;

export const approvalQuery = pageQuery.extend({
  status: approvalStatus.optional(),
  incident_id: wireId.optional(),
});
export type ApprovalQuery = z.infer<typeof approvalQuery>;

export const approve = z.strictObject({
  plan_hash: z.string().regex(/^[0-9a-f]{64}$/, "is not a plan hash (64 hexadecimal digits)"),
  comment: wireText(2_000).optional(),
});
export const reject = z.strictObject({ reason: wireText(2_000).trim().min(1) });
