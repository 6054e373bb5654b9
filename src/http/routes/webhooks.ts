import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { JOURNALLED_ANSWER, webhookAnswer, webhookHealth } from "../../contract/webhook.ts";
import {
  type Decoded,
  type Endpoint,
  KNOWN_ALERT_TYPES,
  LIMITS_BEFORE_ANSWER,
  type ReadBody,
  readBody,
  type SenderCheck,
  type SentRequest,
  type SourceKind,
} from "../../intake/index.ts";
import { AwoooiError, type ErrorCode, withoutTraces } from "../../lib/error.ts";
import { pathSegment } from "../../lib/url-path.ts";
import { callOf, joinedHeader } from "../call.ts";
import { toAwoooiError } from "../error-handler.ts";
import { idempotencyKey } from "../idempotency.ts";
import { WEBHOOKS } from "../observe.ts";
import { NO_CREDENTIALS, SENDER, SIGNED, signatureScheme } from "../openapi.ts";
import type { HttpDeps } from "../types.ts";

/** Returns a source's path: `/custom/:name` with the name for `custom:NAME`. Null when no kind has such a source. */
export function webhookPath(kinds: readonly SourceKind[], source: string): string | null {
  const [id = "", ...rest] = source.split(":");
  const name = rest.join(":");
  const kind = kinds.find((one) => one.id === id);
  const path = kind?.endpoints.find((one) => isNamed(one.path) === (name !== ""))?.path;
  return path?.replace(NAME, () => pathSegment(name)) ?? null;
}

// Placeholder in a path for the name of one of several sources of a kind.
const NAME = ":name";
const isNamed = (path: string) => path.endsWith(`/${NAME}`);

/** Returns the id of the source that a call is for, by its path. */
const sourceIdOf = ({ id }: SourceKind, { path }: Endpoint, request: FastifyRequest) =>
  isNamed(path) ? `${id}:${(request.params as { name: string }).name}` : id;

/** Returns the parts of a call that identify its sender. */
const shownBy = (request: FastifyRequest): SentRequest => ({
  call: callOf(request),
  header: (name) => joinedHeader(request.headers[name]),
});

/** Returns the credentials of a kind of source for the API's description. */
const securityOf = ({ id, credentials }: SourceKind) =>
  credentials === "sender"
    ? SENDER
    : credentials === "signature"
      ? SIGNED
      : [{ [signatureScheme(id)]: [] }, ...SENDER];

/** Returns the length of the body in bytes as the call states it; null when it does not. */
function lengthOf({ headers }: FastifyRequest): number | null {
  if (headers["transfer-encoding"] !== undefined) return null;
  return Number(headers["content-length"] ?? 0);
}

/** Returns the bytes read for a refused call: its body, or up to the limit when it does not state its length. */
function bytesRead(request: FastifyRequest, code: ErrorCode, limit: number): number {
  if (Buffer.isBuffer(request.body)) return request.body.length;
  return code === "too_large" && lengthOf(request) === null ? limit : 0;
}

function parse(body: Buffer): ReadBody {
  if (body.length === 0) throw new AwoooiError("unparsable", "There is no body.");
  try {
    return readBody(body, LIMITS_BEFORE_ANSWER);
  } catch (error) {
    if (error instanceof AwoooiError) throw error;
    throw new AwoooiError("unparsable", "The body is not JSON.");
  }
}

/** Registers the webhooks, and a route that tells which senders are supported. */
export function webhookRoutes(app: FastifyInstance, deps: HttpDeps): void {
  const { kinds } = deps.sources;
  // Kinds whose sources are named in the settings have no source under the kind's own name.
  const sources = kinds.filter(({ endpoints }) =>
    endpoints.some(({ path }) => path.startsWith(`${WEBHOOKS}/`) && !isNamed(path)),
  );
  app.get(
    "/health",
    {
      schema: {
        security: NO_CREDENTIALS,
        summary: "Which senders are supported",
        response: { 200: webhookHealth },
      },
    },
    async () => ({
      status: "healthy",
      service: "awoooi",
      supported_alert_types: KNOWN_ALERT_TYPES,
      sources: sources.map(({ id }) => id),
      alert_types: KNOWN_ALERT_TYPES,
    }),
  );
  receivingRoutes(app, deps, WEBHOOKS);
}

/** Registers the routes of all sources below a path. The raw body is in the journal, on disk, before the answer is 2xx. */
export function receivingRoutes(app: FastifyInstance, deps: HttpDeps, below: string): void {
  // Accept any content type: the journal keeps the raw bytes.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  for (const kind of deps.sources.kinds)
    for (const endpoint of kind.endpoints)
      if (endpoint.path.startsWith(`${below}/`)) receivingRoute(app, deps, kind, endpoint, below);
}

function receivingRoute(
  app: FastifyInstance,
  deps: HttpDeps,
  kind: SourceKind,
  endpoint: Endpoint,
  below: string,
): void {
  const { sources, limiter } = deps;
  const { path, summary, body, answer } = endpoint;
  const checkOf = (request: FastifyRequest): SenderCheck => {
    const check = sources.sender(sourceIdOf(kind, endpoint, request));
    if (check !== undefined) return check;
    const where = kind.settings?.path ?? "the configuration";
    throw new AwoooiError("not_found", `${where} has no source of the name in the path.`);
  };
  /** The source for counting; a name that does not exist is counted under the kind. */
  const countedAs = (request: FastifyRequest) => {
    const id = sourceIdOf(kind, endpoint, request);
    return sources.sender(id) === undefined ? kind.id : id;
  };
  const response: Record<number, z.ZodType> = {
    ...(answer === undefined ? { 200: webhookAnswer } : { [answer.status]: answer.schema }),
    ...(answer?.invalid === undefined ? {} : { 400: answer.invalid.schema }),
  };
  app.post(path.slice(below.length), {
    config: { webhook: below === WEBHOOKS ? path.slice(WEBHOOKS.length + 1) : kind.id },
    schema: {
      security: securityOf(kind),
      summary,
      description: "Alerts are on disk before the answer, which holds the results known by then.",
      body,
      response,
      ...(isNamed(path) ? { params: z.object({ name: z.string() }) } : {}),
      ...(kind.idempotent ? { "x-errors": [409, 422] } : {}),
    },
    // The body is journalled as it came, so it is not validated, and the answer is AWOOOI's own.
    validatorCompiler: () => (value) => ({ value }),
    serializerCompiler: () => (said) => JSON.stringify(said),
    // Before the body is read: up to 5 MiB from an unauthenticated caller are not worth reading.
    onRequest: async (request) =>
      withoutTraces(() => {
        request.sender = checkOf(request).before(shownBy(request));
        limiter.enter({ source: countedAs(request), call: callOf(request), length: lengthOf(request) });
      }),
    onError: async (request, _reply, thrown) => {
      const error = toAwoooiError(thrown);
      const bytes = bytesRead(request, error.code, deps.body_limit);
      limiter.refused({ source: countedAs(request), call: callOf(request), error, bytes });
    },
    handler: async (request, reply) => {
      const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const call = withoutTraces(() => ({
        sender: request.sender ?? checkOf(request).byBody(raw, shownBy(request)),
        source: sourceIdOf(kind, endpoint, request),
        ...parse(raw),
        idempotency_key: kind.idempotent ? idempotencyKey(request) : undefined,
        body: raw,
      }));
      if (kind.signals) return deps.takeSignal(call);
      const known = await deps.receive(call);
      if (answer === undefined) return known ?? JOURNALLED_ANSWER;
      let made: Decoded | undefined;
      const decoded = () => {
        made ??= sources.decode(call.source, call.json);
        return made;
      };
      const failed = answer.invalid === undefined ? undefined : decoded();
      if (failed?.ok === false) {
        reply.status(400);
        return answer.invalid?.of(failed.reason);
      }
      reply.status(answer.status);
      return answer.of(known, decoded);
    },
  });
}
