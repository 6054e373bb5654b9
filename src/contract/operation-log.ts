import { z } from "zod";
import { pageQuery, shownKind, wireId, wireTime } from "./common.ts";

/**
 * What came of an alert that was accepted: it opened an incident, or was counted on one; or why it made none. `known` is
 * one entry for all alerts of a call that were known.
 */
export const alertOutcome = z.enum([
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
export const operationEvents = [
  "ALERT_RECEIVED",
  "AUTO_REPAIR_TRIGGERED",
  "GUARDRAIL_BLOCKED",
  "EXECUTION_STARTED",
  "EXECUTION_COMPLETED",
  "VERIFICATION_COMPLETED",
  "ROLLED_BACK",
] as const;

/**
 * Also `TELEGRAM_SENT` and `TELEGRAM_RESULT_SENT`, and likewise of every notifier: its id in capitals, then
 * `_SENT` for a card that asks people, `_RESULT_SENT` for one that tells how an execution went.
 */
export const operationEvent = z
  .string()
  .regex(new RegExp(`^(${operationEvents.join("|")}|[A-Z0-9_]{1,64}_SENT)$`), "is not an event of the log");
export type OperationEvent = (typeof operationEvents)[number] | `${string}_SENT`;

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
});
export type OperationLogEntry = z.infer<typeof operationLogEntry>;

export const operationLogQuery = pageQuery.extend({
  incident_id: wireId.optional(),
  event: operationEvent.optional(),
});
export type OperationLogQuery = z.infer<typeof operationLogQuery>;
