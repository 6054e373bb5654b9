import type { FastifyInstance, FastifyRequest } from "fastify";
import type { z } from "zod";
import { LATER, webhookAnswer, webhookHealth } from "../contract/webhook.ts";
import { AT_THE_DOOR, KNOWN_ALERT_TYPES, type ReadBody, readBody } from "../intake/index.ts";
import { AwoooiError, type ErrorCode, withoutTraces } from "../lib/error.ts";
import { pathSegment } from "../lib/url-path.ts";
import { callOf } from "./call.ts";
import { toAwoooiError } from "./error-handler.ts";
import { idempotencyKey } from "./idempotency.ts";
import { ALERTMANAGER_API, WEBHOOKS as PREFIX } from "./observe.ts";
import { OPEN } from "./openapi.ts";
import type { HttpDeps } from "./types.ts";
import { ALERTMANAGER_WEBHOOK, WEBHOOKS, type Webhook } from "./webhook-table.ts";

/** Where a source is called: `/custom/:name` is where `custom:NAME` is. Null when there is no such route. */
export function webhookPath(source: string): string | null {
  if (source === ALERTMANAGER_WEBHOOK.source) return ALERTMANAGER_API + ALERTMANAGER_WEBHOOK.path;
  const [kind = "", ...rest] = source.split(":");
  const name = rest.join(":");
  const route = WEBHOOKS.find(({ path, source: named }) =>
    typeof named === "string" ? named === source : name !== "" && path.startsWith(`/${kind}/:`),
  );
  return route === undefined ? null : PREFIX + route.path.replace(/:\w+$/, () => pathSegment(name));
}

/** Bytes of the body as the call says; null when it does not. */
function lengthOf({ headers }: FastifyRequest): number | null {
  if (headers["transfer-encoding"] !== undefined) return null;
  return Number(headers["content-length"] ?? 0);
}

/** What a refused call has cost: its body, or as much of it as is taken when it does not say its length. */
function bytesRead(request: FastifyRequest, code: ErrorCode, limit: number): number {
  if (Buffer.isBuffer(request.body)) return request.body.length;
  return code === "too_large" && lengthOf(request) === null ? limit : 0;
}

function parse(body: Buffer): ReadBody {
  if (body.length === 0) throw new AwoooiError("unparsable", "There is no body.");
  try {
    return readBody(body, AT_THE_DOOR);
  } catch (error) {
    if (error instanceof AwoooiError) throw error;
    throw new AwoooiError("unparsable", "The body is not JSON.");
  }
}

/** Where alerts come in, and which senders are supported. */
export function webhookRoutes(app: FastifyInstance, deps: HttpDeps): void {
  const sources = WEBHOOKS.flatMap(({ source }) => (typeof source === "string" ? source : []));
  app.get(
    "/health",
    { schema: { security: OPEN, summary: "Which senders are supported", response: { 200: webhookHealth } } },
    async () => ({
      status: "healthy",
      service: "awoooi",
      supported_alert_types: KNOWN_ALERT_TYPES,
      sources: [...new Set(sources)],
      alert_types: KNOWN_ALERT_TYPES,
    }),
  );
  receivingRoutes(app, deps, WEBHOOKS);
}

/** The raw body is in the journal, on disk, before the answer is 2xx. */
export function receivingRoutes(app: FastifyInstance, deps: HttpDeps, webhooks: readonly Webhook[]): void {
  // Whatever type the sender claims: the journal keeps the bytes.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  app.decorateRequest("sender", "");
  for (const { path, source: named, check, summary, body, params, answer, take } of webhooks) {
    /** Whatever is named: what a call says wrongly is counted under the route. */
    const sourceOf = (request: FastifyRequest) => {
      if (typeof named === "string") return named;
      try {
        return named(request, deps);
      } catch {
        return path.split("/")[1] ?? path;
      }
    };
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
      // The body goes into the journal as it came, whatever it holds, and the answer is our own.
      validatorCompiler: () => (value) => ({ value }),
      serializerCompiler: () => (said) => JSON.stringify(said),
      // Before the body is read: a stranger's 5 MiB are not worth reading.
      onRequest: async (request) =>
        withoutTraces(() => {
          check.before(request, deps);
          deps.guard.enter({ source: sourceOf(request), call: callOf(request), length: lengthOf(request) });
        }),
      onError: async (request, _reply, thrown) => {
        const error = toAwoooiError(thrown);
        const bytes = bytesRead(request, error.code, deps.body_limit);
        deps.guard.refused({ source: sourceOf(request), call: callOf(request), error, bytes });
      },
      handler: async (request, reply) => {
        const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        const call = withoutTraces(() => ({
          sender: check.sender(request, raw, deps),
          source: typeof named === "string" ? named : named(request, deps),
          ...parse(raw),
          idempotency_key: check.keys ? idempotencyKey(request) : undefined,
          body: raw,
        }));
        if (take !== undefined) return take(call, deps);
        const known = await deps.receive(call);
        if (answer === undefined) return known ?? LATER;
        const { json } = call;
        const decode = (body: unknown) => deps.decode(call.source, body);
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
