import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { pagerdutyAccepted, pagerdutyEvent, pagerdutyInvalid } from "../contract/pagerduty.ts";
import { grafanaCall } from "../contract/webhook/grafana.ts";
import { answerSentry, sentryAnswer, sentryCall } from "../contract/webhook/sentry.ts";
import { answerSignoz, signozAnswer, signozCall } from "../contract/webhook/signoz.ts";
import { uptimeKumaCall } from "../contract/webhook/uptime-kuma.ts";
import {
  alertmanagerCall,
  genericCall,
  NOTHING_KNOWN,
  type WebhookAnswer,
  webhookAnswer,
  webhookHealth,
} from "../contract/webhook.ts";
import { type Decoded, KNOWN_ALERT_TYPES } from "../intake/index.ts";
import { AwoooiError } from "../lib/error.ts";
import { idempotencyKey } from "./idempotency.ts";
import { OPEN } from "./openapi.ts";
import {
  customNameOf,
  hmac,
  network,
  routingKey,
  type SenderCheck,
  secret,
  sentrySignature,
} from "./sender-checks.ts";
import type { HttpDeps } from "./types.ts";

/** One way for alerts to come in: where, which adapter understands it, and how its sender is checked. */
type Webhook = {
  path: string;
  /** The source's id, or how a call says it; what is thrown there is the answer. */
  source: string | ((request: FastifyRequest, deps: HttpDeps) => string);
  check: SenderCheck;
  summary: string;
  body: z.ZodType;
  /** Of the path. */
  params?: z.ZodType;
  /** How the sender is answered, where not with what became of its alerts: as its vendor would. */
  answer?: VendorAnswer;
};

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

/** The key that PagerDuty's clients name an alert by is the one that it has here. */
const dedupKeyOf = (decoded: Decoded) =>
  decoded.ok ? (decoded.alerts[0]?.source_fingerprint ?? decoded.acknowledged?.[0] ?? "") : "";

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

const WEBHOOKS: readonly Webhook[] = [
  {
    path: "/alertmanager",
    source: "alertmanager",
    check: network,
    summary: "Alertmanager's webhook",
    body: alertmanagerCall,
  },
  {
    path: "/alerts",
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
    source: (request) => `custom:${customNameOf(request)}`,
    check: secret,
    summary: "Any JSON, by a field map of intake.custom",
    body: z.unknown(),
    params: z.object({ name: z.string() }),
  },
];

const LATER: WebhookAnswer = {
  ...NOTHING_KNOWN,
  message: "journalled; what comes of it follows",
  results: [],
};

function parse(body: Buffer): unknown {
  if (body.length === 0) throw new AwoooiError("unparsable", "There is no body.");
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new AwoooiError("unparsable", "The body is not JSON.");
  }
}

/** Where alerts come in. The raw body is in the journal, on disk, before the answer is 2xx. */
export function webhookRoutes(app: FastifyInstance, deps: HttpDeps): void {
  // Whatever type the sender claims: the journal keeps the bytes.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  app.decorateRequest("sender", "");
  const sources = WEBHOOKS.flatMap(({ source }) => (typeof source === "string" ? source : []));
  app.get(
    "/health",
    { schema: { security: OPEN, summary: "Which senders are supported", response: { 200: webhookHealth } } },
    async () => ({ status: "ok", sources: [...new Set(sources)], alert_types: KNOWN_ALERT_TYPES }),
  );
  for (const { path, source: named, check, summary, body, params, answer } of WEBHOOKS) {
    const response: Record<number, z.ZodType> = {
      ...(answer === undefined ? { 200: webhookAnswer } : { [answer.status]: answer.schema }),
      ...(answer?.invalid === undefined ? {} : { 400: answer.invalid.schema }),
    };
    app.post(path, {
      schema: {
        security: check.security,
        summary,
        description:
          "Alerts are on disk before the answer. It tells what is known by then; what is not follows.",
        body,
        response,
        ...(params === undefined ? {} : { params }),
        ...(check.keys ? { "x-errors": [409, 422] } : {}),
      },
      // Its headers are for browsers.
      helmet: false,
      // The body goes into the journal as it came, whatever it holds, and the answer is our own.
      validatorCompiler: () => (value) => ({ value }),
      serializerCompiler: () => (said) => JSON.stringify(said),
      // Before the body is read: a stranger's 5 MiB are not worth reading.
      onRequest: async (request) => check.before(request, deps),
      handler: async (request, reply) => {
        const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        const sender = check.sender(request, raw, deps);
        const source = typeof named === "string" ? named : named(request, deps);
        const json = parse(raw);
        const idempotency_key = check.keys ? idempotencyKey(request) : undefined;
        const known = await deps.receive({ source, sender, body: raw, json, idempotency_key });
        if (answer === undefined) return known ?? LATER;
        const decode = (body: unknown) => deps.decode(source, body);
        const decoded = answer.invalid === undefined ? undefined : decode(json);
        if (decoded?.ok === false) {
          reply.status(400);
          return answer.invalid?.of(decoded.reason);
        }
        reply.status(answer.status);
        return answer.of(json, known, decode);
      },
    });
  }
}
