import { z } from "zod";
import { anyText, anyValue, optionalText } from "../../../contract/lenient.ts";
import type { Decoded, Source, SourceAlert, SourceKind } from "../../../intake/index.ts";
import { secret } from "../../../lib/setting.ts";
import { eventAlert, issueAlert, pluginAlert } from "./issue.ts";
import { metricAlert } from "./metric-alert.ts";
import { answerSentry, sentryAnswer, sentryCall } from "./wire.ts";

const call = z.object({
  action: anyText,
  data: z
    .looseObject({
      triggered_rule: optionalText,
      description_title: optionalText,
      description_text: optionalText,
      web_url: optionalText,
    })
    .optional()
    .catch(undefined),
  event: anyValue,
});

const decoded = (...alerts: SourceAlert[]): Decoded => ({ ok: true, alerts, truncated: 0, rejected: [] });
const one = (alert: SourceAlert | null | undefined): Decoded =>
  alert === undefined
    ? { ok: false, reason: "its subject is not an object" }
    : decoded(...(alert ? [alert] : []));

/** Decodes a call by the keys of its body: Sentry's header also names the kind, but the journal keeps only the body. */
function decode(body: unknown): Decoded {
  const { data: fields } = call.safeParse(body);
  if (fields === undefined) return { ok: false, reason: "not a webhook of Sentry" };
  const { action, data } = fields;
  if (data === undefined) {
    return fields.event === null ? { ok: false, reason: "there is no `data`" } : one(pluginAlert(body));
  }
  if ("metric_alert" in data) return one(metricAlert(data.metric_alert, action, data));
  if ("issue" in data) return one(issueAlert(data.issue, action));
  if ("error" in data) return one(eventAlert(data.error, null));
  if ("event" in data) return one(eventAlert(data.event, data.triggered_rule));
  // Comments and installations are not alerts.
  if ("comment" in data || "installation" in data) return decoded();
  return { ok: false, reason: "`data` has none of issue, error, event, metric_alert, comment, installation" };
}

const settings = z.strictObject({
  webhook_secrets: secret(z.array(z.string().min(1)))
    .default([])
    .describe(
      "client secrets of its integrations; a signature under any of them is valid, so that a secret can be rotated; without one its calls are refused with env prod",
    ),
});
type Settings = z.output<typeof settings>;

const SIGNATURE = {
  header: "Sentry-Hook-Signature",
  prefix: "",
  what: "Sentry's webhooks",
  settings: "SENTRY_WEBHOOK_SECRET or sentry.webhook_secrets",
};

/** Sentry's webhooks, of an integration (issue, error, issue alert, metric alert) and of the older plugin. */
export const sentry = {
  id: "sentry",
  name: "Sentry",
  endpoints: [
    {
      path: "/api/v1/webhooks/sentry/error",
      summary: "Sentry's webhooks: issues, errors, issue alerts and metric alerts",
      body: sentryCall,
      answer: {
        status: 200,
        schema: sentryAnswer,
        of(known, decoded) {
          const found = decoded();
          const alerts = !found.ok || found.alerts.length > 0;
          const fires = found.ok && found.alerts.some(({ status }) => status === "firing");
          return answerSentry({ alerts, fires }, known);
        },
      },
    },
  ],
  credentials: {
    header: SIGNATURE.header,
    description: "The HMAC-SHA256 of the raw body, in hexadecimal, under one of `sentry.webhook_secrets`.",
  },
  documentation: "sources.md#sentry",
  settings: {
    path: "sentry",
    schema: settings.prefault({}),
    environment: { SENTRY_WEBHOOK_SECRET: "webhook_secrets[]" },
  },
  create: ({ webhook_secrets: secrets }: Settings): Source => ({
    id: "sentry",
    sender: ({ signature }) => signature({ form: SIGNATURE, secrets }),
    decode,
  }),
} as const satisfies SourceKind<Settings>;
