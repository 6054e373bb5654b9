import { randomUUID } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { actorLabel } from "../lib/actor.ts";
import type { ErrorCode } from "../lib/error.ts";
import { type Log, logAbout, logField } from "../lib/log.ts";

/** One answered call, in values of low cardinality: `path` is the route's pattern. */
type Answered = {
  path: string;
  status: string;
  seconds: number;
  /** The webhook that was called; null for all other routes. */
  webhook: string | null;
  problem: ErrorCode | null;
};
export type HttpMeter = (answered: Answered) => void;

export const WEBHOOKS = "/api/v1/webhooks";
// The path at which Alertmanager accepts alerts, so that its senders can be pointed at AWOOOI unchanged.
export const ALERTMANAGER_API = "/api/v2";
// The path of any unknown route: paths made up by strangers must not become labels.
const UNKNOWN = "unknown";

/** Returns a new id for a request: it is on its log lines, in its answer, and in the answer to an unexpected error. */
export const requestId = (): string => randomUUID();

function answered(request: FastifyRequest, reply: FastifyReply): Answered {
  const path = request.is404 ? UNKNOWN : (request.routeOptions.url ?? UNKNOWN);
  const webhook = request.is404 ? null : (request.routeOptions.config.webhook ?? null);
  const seconds = reply.elapsedTime / 1000;
  return { path, status: String(reply.statusCode), seconds, webhook, problem: request.problem };
}

/** Logs an answered call: at info for every requested change; at debug for reads and for calls of senders. */
function access(log: Log, request: FastifyRequest, reply: FastifyReply, call: Answered): void {
  const fields = {
    method: request.method,
    path: call.path,
    status: reply.statusCode,
    duration_ms: Math.round(call.seconds * 1000),
    ...logField((request.params as { id?: unknown } | undefined)?.id),
    // Missing where no authentication is needed, or none succeeded.
    ...(request.ctx === undefined ? {} : { actor: actorLabel(request.ctx.actor) }),
    ...(call.problem === null ? {} : { code: call.problem }),
  };
  const write = call.webhook === null && !["GET", "HEAD", "OPTIONS"].includes(request.method);
  log[write && call.path !== UNKNOWN ? "info" : "debug"](fields, "answered");
}

/** Counts, times and logs every request. */
export function observe(app: FastifyInstance, meter: HttpMeter, log: Log): void {
  app.decorateRequest("problem", null);
  app.addHook("onRequest", (request, reply, done) => {
    reply.header("x-request-id", request.id);
    logAbout({ request_id: request.id }, done);
  });
  app.addHook("onResponse", (request, reply, done) => {
    const call = answered(request, reply);
    meter(call);
    logAbout({ request_id: request.id }, () => access(log, request, reply, call));
    done();
  });
}
