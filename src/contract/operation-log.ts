import { z } from "zod";
import { pageQuery, shownKind, wireId, wireTime } from "./common.ts";

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
  incident_id: z.string(),
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
