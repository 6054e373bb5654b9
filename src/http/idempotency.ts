import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod } from "fastify";
import { runOnce } from "../db/idempotency.ts";
import { sha256 } from "../lib/canonical-json.ts";
import { AwoooiError } from "../lib/error.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** The route's answer holds a secret: it is not stored, so a repeated call does not get it again. */
    answered_once?: boolean;
    /** Takes no `Idempotency-Key`: repeating it is harmless, and it acts outside the database or commits by itself. */
    unkeyed?: boolean;
  }
}

type Answer = { status: number; body: unknown };

/** Returns the call's `Idempotency-Key`, if it has one. Throws `invalid` for a malformed one. */
export function idempotencyKey({ headers }: FastifyRequest): string | undefined {
  const key = headers["idempotency-key"];
  if (key === undefined) return undefined;
  if (typeof key === "string" && /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new AwoooiError("invalid", "The header Idempotency-Key is not valid.", {
    errors: [{ path: "Idempotency-Key", message: "must be 1 to 255 characters of ASCII, without spaces" }],
  });
}

function hashOf({ method, url, body }: FastifyRequest): string {
  try {
    return sha256(JSON.stringify([method, url, body ?? null]));
  } catch {
    throw new AwoooiError("unparsable", "The body is nested too deeply.");
  }
}

/** Runs the handler and captures its answer, which must not be sent before the surrounding transaction has committed. */
async function answerOf(handler: () => unknown, reply: FastifyReply): Promise<Answer> {
  let sent: unknown = null;
  // Handlers may call `send`, or return the answer.
  reply.send = ((body: unknown) => {
    sent = body;
  }) as FastifyReply["send"];
  try {
    const returned = await handler();
    return { status: reply.statusCode, body: returned ?? sent ?? null };
  } finally {
    Reflect.deleteProperty(reply, "send");
  }
}

function keyed(handler: RouteHandlerMethod): RouteHandlerMethod {
  return async function (request, reply) {
    const key = idempotencyKey(request);
    const run = () => handler.call(this, request, reply);
    if (key === undefined) return run();
    const { ctx } = request;
    if (ctx.actor.kind !== "person") throw new Error("only people call our own API");
    const { answered_once = false } = request.routeOptions.config;
    let fresh: Answer | undefined;
    const call = { scope: ctx.actor.person_id, key, request: hashOf(request) };
    const { answer, repeated } = await runOnce(ctx, call, async (tx) => {
      request.ctx = tx;
      fresh = await answerOf(run, reply);
      return answered_once ? null : JSON.stringify(fresh);
    });
    if (repeated && answer === null) {
      throw new AwoooiError(
        "answered_once",
        "Already done under this Idempotency-Key; its answer held a secret that is shown only once.",
      );
    }
    if (repeated) reply.header("idempotent-replayed", "true");
    const { status, body: payload } = repeated ? (JSON.parse(answer ?? "") as Answer) : (fresh as Answer);
    reply.status(status);
    return payload;
  };
}

/**
 * Lets every write route registered after this carry an `Idempotency-Key`: a repeated call takes effect once and gets the first
 * answer. Effect, key and answer are one transaction.
 */
export function idempotentWrites(app: FastifyInstance): void {
  app.addHook("onRoute", (route) => {
    const reads = [route.method].flat().every((method) => method === "GET" || method === "HEAD");
    if (!reads && route.config?.unkeyed !== true) route.handler = keyed(route.handler);
  });
}
