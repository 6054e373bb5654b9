import { z } from "zod";
import { risk } from "./common.ts";

/** The result for one alert of a call, as far as it is known when the call is answered. */
export const alertResult = z.object({
  success: z.boolean(),
  message: z.string(),
  alert_id: z.string().nullable(),
  approval_created: z.boolean(),
  approval_id: z.string().nullable(),
  incident_id: z.string().nullable(),
  risk_level: risk.nullable(),
  suggested_action: z.string().nullable(),
  hit_count: z.number().int(),
  converged: z.boolean(),
});
export type AlertResult = z.infer<typeof alertResult>;

/**
 * The fields besides `results` are those of the first firing alert. `truncated`: the part of the body that is stored but
 * not parsed, because it exceeds the limits; null: none.
 */
export const webhookAnswer = alertResult.extend({
  results: z.array(alertResult),
  truncated: z.string().nullish(),
});
export type WebhookAnswer = z.infer<typeof webhookAnswer>;

const texts = z.record(z.string(), z.string());

/**
 * Alertmanager's webhook, version 4, as far as it is read. It documents what to send: other bodies are stored all the
 * same, and what cannot be parsed is kept as a dead letter.
 */
export const alertmanagerCall = z.looseObject({
  version: z.string().optional(),
  status: z.enum(["firing", "resolved"]).optional(),
  alerts: z.array(
    z.looseObject({
      status: z.enum(["firing", "resolved"]),
      labels: texts,
      annotations: texts.optional(),
      startsAt: z.string().optional().describe("RFC 3339; with the fingerprint it names one alert instance"),
      endsAt: z.string().optional(),
      generatorURL: z.string().optional(),
      fingerprint: z.string().optional(),
    }),
  ),
  commonLabels: texts.optional(),
  commonAnnotations: texts.optional(),
  truncatedAlerts: z.number().int().optional(),
});

const genericAlert = z.looseObject({
  alert_type: z.string().optional().describe("Its name, unless the label alertname is set"),
  status: z.enum(["firing", "resolved"]).optional(),
  severity: z.string().optional(),
  source: z.string().optional(),
  target_resource: z.string().optional().describe("What it is about: `api`, or `deployment/api`"),
  namespace: z.string().optional(),
  message: z.string().optional(),
  metrics: z.unknown().optional(),
  labels: texts.optional(),
  annotations: texts.optional(),
  starts_at: z
    .string()
    .optional()
    .describe("RFC 3339; without it each call counts, unless it carries an Idempotency-Key"),
  ends_at: z.string().optional(),
});

/** One generic alert, or several. Bodies of another form are stored all the same. */
export const genericCall = z.union([
  z.array(genericAlert),
  z.looseObject({ alerts: z.array(genericAlert) }),
  genericAlert,
]);

const oneSignal = z.looseObject({
  source: z.string().optional(),
  alert_name: z.string().optional().describe("Its name, unless the label alertname is set"),
  severity: z.enum(["info", "warning", "critical"]).optional(),
  namespace: z.string().optional(),
  target: z.string().optional().describe("What it is about: `api`, or `deployment/api`"),
  message: z.string().optional(),
  labels: texts.optional(),
  annotations: texts.optional(),
});

/** One signal, or several. Bodies of another form are stored all the same. */
export const signalCall = z.union([
  z.array(oneSignal),
  z.looseObject({ alerts: z.array(oneSignal) }),
  oneSignal,
]);

/** A signal's position: in the stream or, where there is none, in the journal. */
export const signalAnswer = z.object({
  success: z.literal(true),
  message_id: z.string(),
  stream: z.string(),
});
export type SignalAnswer = z.infer<typeof signalAnswer>;

/** The kinds of sender that have a webhook here, and the types of their alerts. */
export const webhookHealth = z.object({
  status: z.literal("healthy"),
  service: z.literal("awoooi"),
  supported_alert_types: z.array(z.string()),
  sources: z.array(z.string()),
  alert_types: z.array(z.string()).describe("The same as `supported_alert_types`"),
});

/** The result of an alert about which nothing is known yet. */
export const NOTHING_KNOWN: AlertResult = {
  success: true,
  message: "recorded",
  alert_id: null,
  approval_created: false,
  approval_id: null,
  incident_id: null,
  risk_level: null,
  suggested_action: null,
  hit_count: 0,
  converged: false,
};

/** The answer to a call while nothing is known yet. */
export const JOURNALLED_ANSWER: WebhookAnswer = {
  ...NOTHING_KNOWN,
  message: "journalled; the result follows",
  results: [],
};
