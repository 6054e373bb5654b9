import { z } from "zod";
import { anyText, optionalText, texts, time } from "../../../contract/lenient.ts";
import { genericCall } from "../../../contract/webhook.ts";
import {
  decodeEach,
  decodeInSteps,
  genericAlert,
  type Source,
  type SourceAlert,
  type SourceKind,
} from "../../../intake/index.ts";

const alert = z.object({
  status: anyText,
  alert_type: anyText,
  severity: anyText,
  source: anyText,
  target_resource: anyText,
  namespace: anyText,
  message: anyText,
  metrics: anyText,
  labels: texts,
  annotations: texts,
  startsAt: time,
  starts_at: time,
  endsAt: time,
  ends_at: time,
  fingerprint: optionalText,
  generatorURL: optionalText,
  generator_url: optionalText,
});

function decodeAlert(raw: unknown, position: number): SourceAlert | string {
  const parsed = alert.safeParse(raw);
  if (!parsed.success) return "is not an object";
  const { alert_type, metrics, fingerprint, ...fields } = parsed.data;
  const own = genericAlert({ ...fields, name: alert_type }, position);
  if (own === undefined) return "has no `alert_type`, no label `alertname`, no `message`";
  const measured = metrics !== null && !["{}", "[]"].includes(metrics);
  return {
    ...own,
    annotations: { ...own.annotations, ...(measured ? { metrics } : {}) },
    starts_at: fields.startsAt ?? fields.starts_at,
    ends_at: own.status === "resolved" ? (fields.endsAt ?? fields.ends_at) : null,
    source_fingerprint: fingerprint ?? own.source_fingerprint,
    generator_url: fields.generatorURL ?? fields.generator_url,
    ...(alert_type === null ? {} : { alert_type }),
  };
}

/** Alerts in AWOOOI's own format, one or a list, from scripts and senders that have no adapter. */
export const generic = {
  id: "generic",
  name: "Generic alert",
  keywords: ["alert", "manual", "test"],
  endpoints: [
    {
      path: "/api/v1/webhooks/alerts",
      summary: "Alerts from scripts and systems without an adapter",
      body: genericCall,
    },
  ],
  credentials: "signature",
  idempotent: true,
  documentation: "sources.md#generic-alerts",
  create: (): Source => ({
    id: "generic",
    sender: ({ signature }) => signature(),
    counts_calls: true,
    decode: decodeInSteps((body) => decodeEach(body, decodeAlert)),
  }),
} as const satisfies SourceKind;
