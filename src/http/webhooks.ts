import type { FastifyInstance, FastifyRequest } from "fastify";
import type { z } from "zod";
import {
  alertmanagerCall,
  genericCall,
  NOTHING_KNOWN,
  signalAnswer,
  signalCall,
  type WebhookAnswer,
  webhookAnswer,
  webhookHealth,
} from "../contract/webhook.ts";
import { KNOWN_ALERT_TYPES } from "../intake/index.ts";
import { AwoooiError } from "../lib/error.ts";
import { idempotencyKey } from "./idempotency.ts";
import { OPEN } from "./openapi.ts";
import { hmac, network, type SenderCheck } from "./sender-checks.ts";
import type { HttpDeps } from "./types.ts";

/** One way for alerts to come in: where, which adapter understands it, and how its sender is checked. */
type Webhook = {
  path: string;
  /** The source's id, or how a call says it; what is thrown there is the answer. */
  source: string | ((request: FastifyRequest, deps: HttpDeps) => string);
  check: SenderCheck;
  summary: string;
  body: z.ZodType;
  /** How the sender is answered, where not with what became of its alerts: as its vendor would. */
  answer?: VendorAnswer;
  take?: Taker;
};

type VendorAnswer = {
  status: 200 | 202;
  schema: z.ZodType;
  /** From the body as JSON of any shape, and what is known of its alerts by now; null: nothing yet. */
  of(json: unknown, known: WebhookAnswer | null): unknown;
};

/** What writes the call down, where not the journal, and gives the answer. */
type Taker = (call: Omit<Parameters<HttpDeps["receive"]>[0], "json">, deps: HttpDeps) => Promise<unknown>;

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
    path: "/signals",
    source: "signal",
    check: hmac,
    summary: "Light signals, which count once when they come soon again",
    body: signalCall,
    answer: { status: 200, schema: signalAnswer, of: (_json, known) => known },
    take: (call, deps) => deps.takeSignal(call),
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
    async () => ({ status: "ok", sources, alert_types: KNOWN_ALERT_TYPES }),
  );
  for (const { path, source: named, check, summary, body, answer, take } of WEBHOOKS) {
    const response: Record<number, z.ZodType> =
      answer === undefined ? { 200: webhookAnswer } : { [answer.status]: answer.schema };
    app.post(path, {
      schema: {
        security: check.security,
        summary,
        description:
          "Alerts are on disk before the answer. It tells what is known by then; what is not follows.",
        body,
        response,
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
        if (take !== undefined) return take({ source, sender, body: raw, idempotency_key }, deps);
        const known = await deps.receive({ source, sender, body: raw, json, idempotency_key });
        if (answer === undefined) return known ?? LATER;
        reply.status(answer.status);
        return answer.of(json, known);
      },
    });
  }
}
