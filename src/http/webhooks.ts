import type { FastifyInstance, FastifyRequest } from "fastify";
import { NOTHING_KNOWN, type WebhookAnswer } from "../contract/webhook.ts";
import { KNOWN_ALERT_TYPES } from "../intake/index.ts";
import { AwoooiError } from "../lib/error.ts";
import { idempotencyKey } from "./idempotency.ts";
import type { HttpDeps } from "./types.ts";

/** One way for alerts to come in: where, which adapter understands it, and how its sender is checked. */
type Webhook = { path: string; source: string; check: Check };

/** A sender is checked before the body is read, and where it signs, by the body as well. */
type Check = {
  before(request: FastifyRequest, deps: HttpDeps): void;
  sender(request: FastifyRequest, body: Buffer, deps: HttpDeps): string;
  /** Whether a call may carry an `Idempotency-Key`: where alerts need not say when they began. */
  keys: boolean;
};

const joined = (header: string | string[] | undefined) => (Array.isArray(header) ? header.join(",") : header);
const signatureOf = ({ headers }: FastifyRequest) => joined(headers["x-signature-256"]);

function admit(request: FastifyRequest, deps: HttpDeps): string {
  const { headers } = request;
  return deps.checkSender({
    peer: request.socket.remoteAddress ?? "",
    authorization: headers.authorization,
    forwarded_for: joined(headers["x-forwarded-for"]),
    forwarded_otherwise: headers.forwarded !== undefined || headers["x-real-ip"] !== undefined,
  });
}

/** By the address of the socket, else a token. */
const network: Check = {
  before: (request, deps) => {
    request.sender = admit(request, deps);
  },
  sender: (request) => request.sender,
  keys: false,
};

/** By HMAC, from whatever network; where no secret is configured and none is needed, as `network`. */
const hmac: Check = {
  before: (request, deps) => deps.checkSignature.present(signatureOf(request)),
  sender: (request, body, deps) => deps.checkSignature.of(body, signatureOf(request)) ?? admit(request, deps),
  keys: true,
};

const WEBHOOKS: readonly Webhook[] = [
  { path: "/alertmanager", source: "alertmanager", check: network },
  { path: "/alerts", source: "generic", check: hmac },
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
  app.get("/health", async () => ({ status: "ok", sources, alert_types: KNOWN_ALERT_TYPES }));
  for (const { path, source, check } of WEBHOOKS) {
    app.post(path, {
      // Before the body is read: a stranger's 5 MiB are not worth reading.
      onRequest: async (request) => check.before(request, deps),
      handler: async (request) => {
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        const sender = check.sender(request, body, deps);
        const json = parse(body);
        const idempotency_key = check.keys ? idempotencyKey(request) : undefined;
        return (await deps.receive({ source, sender, body, json, idempotency_key })) ?? LATER;
      },
    });
  }
}
