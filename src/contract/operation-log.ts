import { z } from "zod";
import { pageQuery, shownKind, wireId, wireTime } from "./common.ts";
import { operation } from "./decision.ts";
import { operationTarget } from "./incident.ts";

/**
 * What came of an alert that was accepted: it opened an incident, or was counted on one; or why it made none. `known` is
 * one entry for all alerts of a call that were known.
 */
const alertOutcome = z.enum([
  "opened",
  "converged",
  "silenced",
  "held",
  "heartbeat",
  "progress",
  "over",
  "known",
  "recorded",
]);
export type AlertOutcome = z.infer<typeof alertOutcome>;

/** What the operation log keeps of an incident, from the alert to what people were told of the result. */
const operationEvents = [
  "ALERT_RECEIVED",
  "AUTO_REPAIR_TRIGGERED",
  "GUARDRAIL_BLOCKED",
  "DRY_RUN_COMPLETED",
  "EXECUTION_STARTED",
  "EXECUTION_COMPLETED",
  "VERIFICATION_COMPLETED",
  "ROLLED_BACK",
] as const;

/**
 * Also `TELEGRAM_SENT` and `TELEGRAM_RESULT_SENT`, and likewise of every notifier: its id in capitals, then
 * `_SENT` for a card that asks people, `_RESULT_SENT` for one that tells how an execution went.
 */
const operationEvent = z
  .string()
  .regex(new RegExp(`^(${operationEvents.join("|")}|[A-Z0-9_]{1,64}_SENT)$`), "is not an event of the log");
export type OperationEvent = (typeof operationEvents)[number] | `${string}_SENT`;

/**
 * What a row says of the operation that it is about. Rows are only ever added: one before the act (`pending`), one after it
 * (`success`, `failed`), one for each trial (`dry_run`), and one when it was taken back (`rolled_back`).
 */
export const loggedOperation = z.object({
  status: z.enum(["pending", "success", "failed", "dry_run", "rolled_back"]),
  operation_type: z.string(),
  tags: z.array(z.string()),
  input: z.object({
    /** As a person would type it, or say it. */
    text: z.string(),
    operation,
    target: operationTarget.nullable(),
    namespace: z.string().nullable(),
  }),
  /** The attempt that the row is about, or how many there were. */
  attempts: z.number().int().optional(),
  duration_ms: z.number().optional(),
  output: z.string().nullable().optional(),
  /** 2,000 characters at most. */
  error: z.string().nullable().optional(),
  /** 8,000 characters at most. */
  stderr: z.string().nullable().optional(),
});
export type LoggedOperation = z.infer<typeof loggedOperation>;

export const operationLogEntry = z.object({
  seq: z.number().int(),
  at: wireTime,
  event: z.string(),
  /** null: of an alert that made no incident. */
  incident_id: z.string().nullable(),
  actor: z.string(),
  actor_kind: shownKind,
  text: z.string(),
  data: z.record(z.string(), z.unknown()),
  /** null: the row is about no operation, or from before this was kept. */
  operation: loggedOperation.nullable(),
});
export type OperationLogEntry = z.infer<typeof operationLogEntry>;

export const operationLogQuery = pageQuery.extend({
  incident_id: wireId.optional(),
  event: operationEvent.optional(),
});
export type OperationLogQuery = z.infer<typeof operationLogQuery>;
