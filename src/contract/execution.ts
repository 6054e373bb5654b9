import { z } from "zod";
import { check } from "./approval.ts";
import { pageQuery, wireId, wireText, wireTime } from "./common.ts";
import { operation } from "./decision.ts";
import { executionStatus } from "./execution-status.ts";
import { operationTarget } from "./incident.ts";
import { loggedOperation } from "./operation-log.ts";

export type { ExecutionStatus } from "./execution-status.ts";

/** What an observer found at one moment. */
export const observation = z.object({
  at: wireTime,
  /** null: not known. */
  healthy: z.boolean().nullable(),
  facts: z.array(check),
});
export type Observation = z.infer<typeof observation>;

const verification = z.object({
  result: z.enum(["success", "degraded", "failed", "inconclusive"]),
  reason: z.string(),
  evidence: z.object({ before: observation.nullable(), after: observation.nullable() }),
});
export type Verification = z.infer<typeof verification>;

export const execution = z.object({
  execution_id: z.string(),
  incident_id: z.string(),
  approval_id: z.string(),
  /** Whose approval it carries out: `approval_executor` people's, `auto_repair` policy's. */
  caller: z.enum(["approval_executor", "auto_repair"]),
  /** The number of its step in the approval's plan, from 1. */
  step: z.number().int(),
  operation,
  ...loggedOperation.pick({ operation_type: true, tags: true, input: true }).shape,
  target: operationTarget.nullable(),
  /** `rolled_back`: it acted, with whatever result, and has been undone since. */
  status: z.enum([...executionStatus.options, "rolled_back"]),
  attempts: z.number().int(),
  output: z.string().nullable(),
  error: z.string().nullable(),
  error_code: z.string().nullable(),
  stderr: z.string().nullable(),
  duration_ms: z.number().nullable(),
  snapshot_id: z.string().nullable(),
  verification: verification.nullable(),
  created_at: wireTime,
  started_at: wireTime.nullable(),
  ended_at: wireTime.nullable(),
  /** How it would be undone; null: not known. */
  undo: z
    .object({
      possible: z.boolean(),
      action: z.string().nullable(),
      /** The effects that would remain after the undo. */
      leaves: z.string().nullable(),
      reason: z.string().nullable(),
    })
    .nullable(),
  /** The execution that this one undoes. */
  undoes: z.string().nullable(),
  /** The execution that has undone this one. */
  undone_by: z.string().nullable(),
});
export type Execution = z.infer<typeof execution>;

export const undo = z.strictObject({ comment: wireText(2_000).optional() });

export const executionQuery = pageQuery.extend({ incident_id: wireId.optional() });
export type ExecutionQuery = z.infer<typeof executionQuery>;
