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
  /** In seconds. */
  estimated_downtime: z.number(),
  /** For people to read: the services as alerts name them, and `belongs_to`. */
  related_services: z.array(z.string()),
  /** Owners of the targets as the systems report them, never the senders; missing in approvals older than this field. */
  belongs_to: z.array(z.string()).optional(),
  data_impact: z.enum(["NONE", "READ_ONLY", "WRITE", "DESTRUCTIVE"]),
});
export type BlastRadius = z.infer<typeof blastRadius>;

export const approval = z.object({
  approval_id: z.string(),
  incident_id: z.string(),
  decision_token: z.string(),
  status: approvalStatus,
  /** Status of its execution, of several steps the latest; null: it has none. */
  execution_status: executionStatus.nullable().default(null),
  action: z.string(),
  operation,
  /** All operations of the plan, in order; `operation` is the first. */
  steps: z.array(operation),
  /** Who authorises it: people by their signatures, or the policy of the installation. */
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
      /** Only people sign. */
      signer_kind: z.literal("person").default("person"),
      comment: z.string().nullable(),
      at: wireTime,
      /** Whether it counts now; if the plan was carried out, whether it counted then. */
      counts: z.boolean().default(true),
      /** Why it does not count; null: it does. */
      why_not: z.string().nullable().default(null),
    }),
  ),
  requested_by: z.string(),
  requested_by_kind: shownKind,
  /** Why carrying it out now would be refused despite signatures: a freeze or the mode; null: nothing stops it, or it is over. */
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
