import type { FastifyRequest } from "fastify";
import { authenticate } from "../../access/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { callOf } from "../call.ts";
import type { HttpDeps } from "../types.ts";

const BASIC = /^Basic +([A-Za-z0-9+/=]+)$/i;

/**
 * The person behind a call of Alertmanager's API: by a token of ours, as `Authorization: Bearer TOKEN` or
 * as the password of basic authentication, whatever user it names. Throws `unauthenticated`: what comes
 * from a trusted network may send alerts, and silence none.
 */
export async function authenticateClient({ headers }: FastifyRequest, deps: HttpDeps) {
  const { authorization } = headers;
  const basic = BASIC.exec(authorization ?? "")?.[1];
  const pair = basic === undefined ? "" : Buffer.from(basic, "base64").toString("utf8");
  const header = basic === undefined ? authorization : `Bearer ${pair.slice(pair.indexOf(":") + 1)}`;
  const anyone = deps.ctxOf({ kind: "system", name: "bootstrap" });
  return deps.ctxOf(await authenticate(anyone, header));
}

/** Who reads: a person, by a token; where `intake.alertmanager_api.open_reads` is set also who may send alerts. */
export async function authenticateReader(request: FastifyRequest, deps: HttpDeps): Promise<Ctx> {
  if (!deps.open_reads) return authenticateClient(request, deps);
  try {
    return deps.ctxOf({ kind: "sender", name: deps.checkSender(callOf(request)) });
  } catch (refused) {
    if (request.headers.authorization === undefined) throw refused;
    return authenticateClient(request, deps);
  }
}
