import type { FastifyInstance } from "fastify";
import {
  alertmanagerCall,
  NOTHING_KNOWN,
  type WebhookAnswer,
  webhookAnswer,
  webhookHealth,
} from "../contract/webhook.ts";
import { AwoooiError } from "../lib/error.ts";
import { callOf } from "./call.ts";
import { OPEN, SENDER } from "./openapi.ts";
import type { HttpDeps } from "./types.ts";

const SOURCES = ["alertmanager"];

const LATER: WebhookAnswer = {
  ...NOTHING_KNOWN,
  message: "journalled; what comes of it follows",
  results: [],
};

function parse(body: unknown): { body: Buffer; json: unknown } {
  if (!Buffer.isBuffer(body) || body.length === 0) throw new AwoooiError("unparsable", "There is no body.");
  try {
    return { body, json: JSON.parse(body.toString("utf8")) };
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
  app.get(
    "/health",
    { schema: { security: OPEN, summary: "Which senders are supported", response: { 200: webhookHealth } } },
    async () => ({ status: "ok", sources: SOURCES }),
  );
  app.post("/alertmanager", {
    schema: {
      security: SENDER,
      summary: "Alertmanager's webhook",
      description:
        "Alerts are on disk before the answer. It tells what is known by then; what is not follows. From outside the trusted networks it needs credentials.",
      body: alertmanagerCall,
      response: { 200: webhookAnswer },
    },
    // The body goes into the journal as it came, whatever it holds, and the answer is our own.
    validatorCompiler: () => (value) => ({ value }),
    serializerCompiler: () => (answer) => JSON.stringify(answer),
    // Before the body is read: a stranger's 5 MiB are not worth reading.
    onRequest: async (request) => {
      request.sender = deps.checkSender(callOf(request));
    },
    handler: async (request) => {
      const { sender, body } = request;
      const answer = await deps.receive({ source: "alertmanager", sender, ...parse(body) });
      return answer ?? LATER;
    },
  });
}
