import type { FastifyInstance, FastifyRequest } from "fastify";
import type { z } from "zod";
import {
  alertmanagerCall,
  genericCall,
  NOTHING_KNOWN,
  type WebhookAnswer,
  webhookAnswer,
  webhookHealth,
} from "../contract/webhook.ts";
import { KNOWN_ALERT_TYPES } from "../intake/index.ts";
import { AwoooiError } from "../lib/error.ts";
import { callOf, joined } from "./call.ts";
import { idempotencyKey } from "./idempotency.ts";
import { OPEN, SENDER, SIGNED } from "./openapi.ts";
import type { HttpDeps } from "./types.ts";

/** One way for alerts to come in: where, which adapter understands it, and how its sender is checked. */
type Webhook = { path: string; source: string; check: Check; summary: string; body: z.ZodType };

/** A sender is checked before the body is read, and where it signs, by the body as well. */
type Check = {
  security: typeof SENDER | typeof SIGNED;
  before(request: FastifyRequest, deps: HttpDeps): void;
  sender(request: FastifyRequest, body: Buffer, deps: HttpDeps): string;
  /** Whether a call may carry an `Idempotency-Key`: where alerts need not say when they began. */
  keys: boolean;
};

const signatureOf = ({ headers }: FastifyRequest) => joined(headers["x-signature-256"]);

/** By the address of the socket, else a token. */
const network: Check = {
  security: SENDER,
  before: (request, deps) => {
    request.sender = deps.checkSender(callOf(request));
  },
  sender: (request) => request.sender,
  keys: false,
};

/** By HMAC, from whatever network; where no secret is configured and none is needed, as `network`. */
const hmac: Check = {
  security: SIGNED,
  before: (request, deps) => deps.checkSignature.present(signatureOf(request)),
  sender: (request, body, deps) =>
    deps.checkSignature.of(body, signatureOf(request)) ?? deps.checkSender(callOf(request)),
  keys: true,
};

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
  const sources = WEBHOOKS.map(({ source }) => source);
  app.get(
    "/health",
    { schema: { security: OPEN, summary: "Which senders are supported", response: { 200: webhookHealth } } },
    async () => ({ status: "ok", sources, alert_types: KNOWN_ALERT_TYPES }),
  );
  for (const { path, source, check, summary, body } of WEBHOOKS) {
    app.post(path, {
      schema: {
        security: check.security,
        summary,
        description:
          "Alerts are on disk before the answer. It tells what is known by then; what is not follows.",
        body,
        response: { 200: webhookAnswer },
        ...(check.keys ? { "x-errors": [409, 422] } : {}),
      },
      // Its headers are for browsers.
      helmet: false,
      // The body goes into the journal as it came, whatever it holds, and the answer is our own.
      validatorCompiler: () => (value) => ({ value }),
      serializerCompiler: () => (answer) => JSON.stringify(answer),
      // Before the body is read: a stranger's 5 MiB are not worth reading.
      onRequest: async (request) => check.before(request, deps),
      handler: async (request) => {
        const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        const sender = check.sender(request, raw, deps);
        const json = parse(raw);
        const idempotency_key = check.keys ? idempotencyKey(request) : undefined;
        return (await deps.receive({ source, sender, body: raw, json, idempotency_key })) ?? LATER;
      },
    });
  }
}
