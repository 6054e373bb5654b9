import { z } from "zod";
import { pageQuery, severity, shownKind, wireId, wireText, wireTime } from "./common.ts";
import { silencedBy } from "./silence.ts";

export const incidentStatus = z.enum(["investigating", "mitigating", "resolved", "closed"]);

/**
 * What is happening with an incident at this moment, while `status` may last for hours. `with_main`: it is handled with
 * the incident that it is an effect of. `recorded`: information, which calls for no action. `under_watch`: nothing is to
 * be done now, or it has been done; the incident is examined again if it goes on.
 */
const incidentActivity = z.enum([
  "preparing",
  "waiting_for_signature",
  "about_to_act",
  "acting",
  "verifying",
  "needs_a_person",
  "under_watch",
  "with_main",
  "recorded",
]);
export type IncidentActivity = z.infer<typeof incidentActivity>;

/** The exact object to act on. `kind`: a Kubernetes kind in lower case, `process`, `host`, `unit`, `tool`, … or `unknown`. */
export const operationTarget = z.object({
  kind: z.string(),
  name: z.string(),
  namespace: z.string().optional(),
  cluster: z.string().optional(),
  host: z.string().optional(),
});
export type OperationTarget = z.infer<typeof operationTarget>;

const disposition = z.enum(["auto_repair", "human_approved", "cold_start_trust", "manual_resolved"]);
export type Disposition = z.infer<typeof disposition>;

/** How often trouble with one anomaly key occurred: outages that began within each period, and automatic repairs. */
const frequency = z.object({
  anomaly_key: z.string(),
  count_1h: z.number().int(),
  count_24h: z.number().int(),
  count_7d: z.number().int(),
  count_30d: z.number().int(),
  /** Repairs of the last 30 days that needed no signature. */
  auto_repair_count: z.number().int(),
  /** 1 to 4: how often the trouble has come back; at 4 it needs a permanent fix. */
  escalation_level: z.number().int(),
});
export type Frequency = z.infer<typeof frequency>;

export const incident = z.object({
  incident_id: z.string(),
  title: z.string(),
  status: incidentStatus,
  /** Derived from its decision, approvals and executions; null: it is over and nothing is happening. */
  activity: incidentActivity.nullable().default(null),
  severity,
  alert_category: z.string(),
  notification_type: z.string(),
  affected_services: z.array(z.string()),
  operation_target: operationTarget.nullable(),
  /** Alerts with the same fingerprint converge into one incident. */
  fingerprint: z.string(),
  /** The key that repair records are kept under: the same whenever the same trouble recurs, in any incident. */
  anomaly_key: z.string(),
  hit_count: z.number().int(),
  /** It starts and stops repeatedly: it stays open, and people are not notified each time. */
  flapping: z.boolean().default(false),
  first_seen: wireTime,
  last_seen: wireTime,
  created_at: wireTime,
  updated_at: wireTime,
  resolved_at: wireTime.nullable(),
  closed_at: wireTime.nullable(),
  acknowledged_at: wireTime.nullable(),
  owner: z.string().nullable(),
  /** What silences all of its alerts; empty when one of them is not silenced. */
  silenced_by: z.array(silencedBy).default([]),
  /** Current numbers; `last_…` and `count_…` are the same. */
  frequency_stats: frequency.extend({
    last_1h: z.number().int(),
    last_24h: z.number().int(),
    last_7d: z.number().int(),
    last_30d: z.number().int(),
  }),
  /** Numbers when the incident was opened, its own alerts included; null: the incident is older than this field. */
  frequency_snapshot: frequency.nullable(),
  decision: z
    .object({ token: z.string(), state: z.string(), source: z.string(), summary: z.string() })
    .nullable(),
  approval_ids: z.array(z.string()),
  outcome: z
    .object({
      disposition,
      execution_success: z.boolean().nullable(),
      execution_id: z.string().nullable(),
      resolved_by: z.string(),
      resolved_by_kind: shownKind,
      /** These four: feedback of people, where there is any. */
      effectiveness_score: z.number().int().optional(),
      human_feedback: z.string().optional(),
      learning_notes: z.string().optional(),
      should_remember: z.boolean().optional(),
    })
    .nullable(),
  /** The incident that it is an effect of, which is the one that decisions are made about. */
  merged_into: z.string().nullable(),
  /** Incidents merged into it, oldest first; at most 50 of `effect_count`. */
  effects: z.array(
    z.object({
      incident_id: z.string(),
      title: z.string(),
      severity,
      status: incidentStatus,
      hit_count: z.number().int(),
      reason: z.string(),
    }),
  ),
  effect_count: z.number().int(),
  /** Related incidents that are handled on their own; the newest 20. */
  related: z.array(
    z.object({ incident_id: z.string(), title: z.string(), status: incidentStatus, reason: z.string() }),
  ),
  /** The incident that is probably the cause: itself, the one it is merged into, or a related one. */
  probable_cause: z.object({ incident_id: z.string(), reason: z.string() }).nullable(),
  links: z.record(z.string(), z.string()),
});
export type Incident = z.infer<typeof incident>;

export const incidentQuery = pageQuery.extend({
  status: incidentStatus.optional(),
  severity: severity.optional(),
  category: wireText(100).optional(),
  service: wireText(253).optional(),
  /** true: only incidents merged into another; false (default): only those that are not; any: both. */
  merged: z.enum(["true", "false", "any"]).optional(),
  q: wireText(200).optional(),
  since: wireTime.optional(),
  until: wireTime.optional(),
});
export type IncidentQuery = z.infer<typeof incidentQuery>;

const timelineKind = z.enum([
  "alert",
  "decision",
  "approval",
  "execution",
  "verification",
  "notification",
  "comment",
  "status",
]);
export type TimelineKind = z.infer<typeof timelineKind>;

export const timelineEvent = z.object({
  seq: z.number().int(),
  at: wireTime,
  kind: timelineKind,
  actor: z.string(),
  actor_kind: shownKind,
  text: z.string(),
  data: z.record(z.string(), z.unknown()),
});
export type TimelineEvent = z.infer<typeof timelineEvent>;

export const alert = z.object({
  alert_id: z.string(),
  incident_id: z.string().nullable(),
  status: z.enum(["firing", "resolved"]),
  source: z.string(),
  alert_name: z.string(),
  alert_type: z.string(),
  /** null: the source sent none. */
  severity: severity.nullable(),
  cluster: z.string(),
  namespace: z.string(),
  target_resource: z.string(),
  message: z.string(),
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()),
  starts_at: wireTime,
  ends_at: wireTime.nullable(),
  fingerprint: z.string(),
  deliveries: z.number().int(),
  /** What silences it; null: nothing. */
  silenced_by: z.array(silencedBy).nullable(),
  first_received_at: wireTime,
  last_received_at: wireTime,
});
export type Alert = z.infer<typeof alert>;

export const comment = z.strictObject({ text: wireText(10_000).min(1) });
export const optionalComment = z.strictObject({ comment: wireText(10_000).optional() });
export const merge = z.strictObject({ into: wireId, comment: wireText(10_000).optional() });
/** null: the incident gets no owner. */
export const assign = z.strictObject({ owner: wireText(200).min(1).nullable() });
export const feedback = z
  .strictObject({
    effectiveness_score: z.number().int().min(1).max(5).optional(),
    human_feedback: wireText(10_000).optional(),
    learning_notes: wireText(10_000).optional(),
    should_remember: z.boolean().optional(),
  })
  .refine((given) => Object.keys(given).length > 0, "give at least one field");
export type Feedback = z.infer<typeof feedback>;
