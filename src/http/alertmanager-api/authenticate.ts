import type { FastifyRequest } from "fastify";
import { authenticate } from "../../access/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { callOf } from "../call.ts";
import type { HttpDeps } from "../types.ts";

const BASIC = /^Basic +([A-Za-z0-9+/=]+)$/i;

/**
 * Returns the context of the person who calls Alertmanager's API, by an AWOOOI token: as `Authorization: Bearer TOKEN`, or as the
 * password of basic authentication with any user name. Throws `unauthenticated`: callers in a trusted network may send alerts,
 * but silence none.
 */
export async function authenticateClient({ headers }: FastifyRequest, deps: HttpDeps) {
  const { authorization } = headers;
  const basic = BASIC.exec(authorization ?? "")?.[1];
  const pair = basic === undefined ? "" : Buffer.from(basic, "base64").toString("utf8");
  const header = basic === undefined ? authorization : `Bearer ${pair.slice(pair.indexOf(":") + 1)}`;
  const anyone = deps.ctxOf({ kind: "system", name: "bootstrap" });
  return deps.ctxOf(await authenticate(anyone, header));
}

/** Returns a reader's context: a person with a token or, with `intake.alertmanager_api.open_reads`, also a sender. */
export async function authenticateReader(request: FastifyRequest, deps: HttpDeps): Promise<Ctx> {
  if (!deps.open_reads) return authenticateClient(request, deps);
  try {
    return deps.ctxOf({ kind: "sender", name: deps.checkSender(callOf(request)) });
  } catch (refused) {
    if (request.headers.authorization === undefined) throw refused;
    return authenticateClient(request, deps);
  }
}
