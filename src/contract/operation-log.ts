import { z } from "zod";
import { pageQuery, shownKind, wireId, wireTime } from "./common.ts";
import { operation } from "./decision.ts";
import { operationTarget } from "./incident.ts";

/**
 * The outcome of an accepted alert: it opened an incident, was counted on one, or why it did neither. `known` is a
 * single entry for all alerts of a call that were already known.
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

/** Events of the operation log, from the alert to the undo; the `_SENT` events of notifiers come on top. */
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
 * An event of the operation log: one of the above or a notifier's, such as `TELEGRAM_SENT` and `TELEGRAM_RESULT_SENT`:
 * its id in capitals, then `_SENT` for a card that asks for a signature, `_RESULT_SENT` for an execution's result.
 */
const operationEvent = z
  .string()
  .regex(new RegExp(`^(${operationEvents.join("|")}|[A-Z0-9_]{1,64}_SENT)$`), "is not an event of the log");
export type OperationEvent = (typeof operationEvents)[number] | `${string}_SENT`;

/**
 * The operation that a row of the log is about. Rows are append-only: one before the act (`pending`), one after it
 * (`success`, `failed`), one per dry-run (`dry_run`), and one when it was undone (`rolled_back`).
 */
export const loggedOperation = z.object({
  status: z.enum(["pending", "success", "failed", "dry_run", "rolled_back"]),
  operation_type: z.string(),
  tags: z.array(z.string()),
  input: z.object({
    /** The command a person would type, or a description where no single command does it. */
    text: z.string(),
    operation,
    target: operationTarget.nullable(),
    namespace: z.string().nullable(),
  }),
  /** The number of the attempt that the row is about, or the number of attempts. */
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
  /** null: the row is about an alert that made no incident. */
  incident_id: z.string().nullable(),
  actor: z.string(),
  actor_kind: shownKind,
  text: z.string(),
  data: z.record(z.string(), z.unknown()),
  /** null: the row is about no operation, or is older than this field. */
  operation: loggedOperation.nullable(),
});
export type OperationLogEntry = z.infer<typeof operationLogEntry>;

export const operationLogQuery = pageQuery.extend({
  incident_id: wireId.optional(),
  event: operationEvent.optional(),
});
export type OperationLogQuery = z.infer<typeof operationLogQuery>;
