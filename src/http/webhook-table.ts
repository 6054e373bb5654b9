import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { postableAlerts } from "../contract/alertmanager-alerts.ts";
import { pagerdutyAccepted, pagerdutyEvent, pagerdutyInvalid } from "../contract/pagerduty.ts";
import { grafanaCall } from "../contract/webhook/grafana.ts";
import { answerSentry, sentryAnswer, sentryCall } from "../contract/webhook/sentry.ts";
import { answerSignoz, signozAnswer, signozCall } from "../contract/webhook/signoz.ts";
import { uptimeKumaCall } from "../contract/webhook/uptime-kuma.ts";
import {
  alertmanagerCall,
  genericCall,
  signalAnswer,
  signalCall,
  type WebhookAnswer,
} from "../contract/webhook.ts";
import type { Decoded } from "../intake/index.ts";
import {
  customSourceOf,
  hmac,
  network,
  routingKey,
  type SenderCheck,
  secret,
  sentrySignature,
} from "./sender-checks.ts";
import type { HttpDeps } from "./types.ts";

/** One way for alerts to come in: where, which adapter understands it, and how its sender is checked. */
export type Webhook = {
  path: string;
  /** Other words by which people look for it, beside the first of its path. */
  also?: readonly string[];
  /** The source's id, or how a call says it; what is thrown there is the answer. */
  source: string | ((request: FastifyRequest, deps: HttpDeps) => string);
  check: SenderCheck;
  summary: string;
  body: z.ZodType;
  /** Of the path. */
  params?: z.ZodType;
  /** How the sender is answered, where not with what became of its alerts: as its vendor would. */
  answer?: VendorAnswer;
  take?: Taker;
};

/** What writes the call down, where not the journal, and gives the answer. */
type Taker = (call: Parameters<HttpDeps["receive"]>[0], deps: HttpDeps) => Promise<unknown>;

type VendorAnswer = {
  status: 200 | 202;
  schema: z.ZodType;
  /**
   * From the body as JSON of any shape, and what is known of its alerts by now; null: nothing yet. `decode` is
   * what its source makes of it.
   */
  of(json: unknown, known: WebhookAnswer | null, decode: (json: unknown) => Decoded): unknown;
  /**
   * With status 400, what a body that is not understood is answered with, by vendors whose senders take 2xx
   * for done and 400 for good. It is in the dead letters all the same.
   */
  invalid?: { schema: z.ZodType; of(reason: string): unknown };
};

const anyFires = (decoded: Decoded) =>
  decoded.ok && decoded.alerts.some((alert) => alert.status === "firing");

const SIGNOZ = {
  source: "signoz",
  check: network,
  summary: "SigNoz's webhook",
  body: signozCall,
  answer: {
    status: 200,
    schema: signozAnswer,
    of(json, known, decode) {
      const decoded = decode(json);
      // What is not understood is kept as a dead letter: it may well have fired.
      return answerSignoz(!decoded.ok || anyFires(decoded), known);
    },
  },
} as const satisfies Omit<Webhook, "path">;

/** The key that PagerDuty's clients name an alert by is the one that it has here. */
const dedupKeyOf = (decoded: Decoded) =>
  decoded.ok ? (decoded.alerts[0]?.source_fingerprint ?? decoded.acknowledged?.[0] ?? "") : "";

/** Every webhook below `/api/v1/webhooks`. A further source is an entry here, and its adapter. */
export const WEBHOOKS: readonly Webhook[] = [
  {
    path: "/alertmanager",
    also: ["am", "alert-manager", "prometheus", "prom"],
    source: "alertmanager",
    check: network,
    summary: "Alertmanager's webhook",
    body: alertmanagerCall,
  },
  {
    path: "/alerts",
    also: ["alert", "generic", "manual", "test"],
    source: "generic",
    check: hmac,
    summary: "Alerts of scripts and of whatever has no webhook of its own",
    body: genericCall,
  },
  {
    path: "/grafana",
    source: "grafana",
    check: network,
    summary: "Grafana's webhook, of unified and of legacy alerting",
    body: grafanaCall,
  },
  { path: "/signoz", ...SIGNOZ },
  { path: "/signoz/alert", ...SIGNOZ },
  {
    path: "/uptime-kuma",
    also: ["kuma", "uptime"],
    source: "uptime-kuma",
    check: network,
    summary: "Uptime Kuma's webhook",
    body: uptimeKumaCall,
  },
  {
    path: "/sentry/error",
    source: "sentry",
    check: sentrySignature,
    summary: "Sentry's webhooks: issues, errors, issue alerts and metric alerts",
    body: sentryCall,
    answer: {
      status: 200,
      schema: sentryAnswer,
      of(json, known, decode) {
        const decoded = decode(json);
        const alerts = !decoded.ok || decoded.alerts.length > 0;
        return answerSentry({ alerts, fires: anyFires(decoded) }, known);
      },
    },
  },
  {
    path: "/pagerduty/v2/enqueue",
    also: ["pd"],
    source: "pagerduty",
    check: routingKey,
    summary: "PagerDuty's Events API, version 2; also under /v2/enqueue",
    body: pagerdutyEvent,
    answer: {
      status: 202,
      schema: pagerdutyAccepted,
      of: (json, _known, decode) => ({
        status: "success",
        message: "Event processed",
        dedup_key: dedupKeyOf(decode(json)),
      }),
      invalid: {
        schema: pagerdutyInvalid,
        of: (reason) => ({
          status: "invalid event",
          message: "Event object is invalid",
          errors: reason.split("; "),
        }),
      },
    },
  },
  {
    path: "/custom/:name",
    also: [
      "json",
      "datadog",
      "newrelic",
      "cloudwatch",
      "zabbix",
      "graylog",
      "librenms",
      "gcp",
      "pingdom",
      "opsgenie",
    ],
    source: customSourceOf,
    check: secret,
    summary: "Any JSON, by a field map of intake.custom",
    body: z.unknown(),
    params: z.object({ name: z.string() }),
  },
  {
    path: "/signals",
    also: ["signal"],
    source: "signal",
    check: hmac,
    summary: "Light signals, which count once when they come soon again",
    body: signalCall,
    answer: { status: 200, schema: signalAnswer, of: (_json, known) => known },
    take: (call, deps) => deps.takeSignal(call),
  },
];

/** The one below `/api/v2`: what is sent as to Alertmanager itself. */
export const ALERTMANAGER_WEBHOOK: Webhook = {
  path: "/alerts",
  source: "prometheus",
  check: network,
  summary: "Alertmanager's API for whoever sends alerts: Prometheus, amtool and others",
  body: postableAlerts,
  // Its writers are told nothing but that it was taken.
  answer: { status: 200, schema: z.object({}), of: () => ({}) },
};
