import type { FastifyRequest } from "fastify";
import { type SecretCheck, type Shown, type SignatureCheck, topLevelText } from "../intake/index.ts";
import { AwoooiError } from "../lib/error.ts";
import { callOf, joined } from "./call.ts";
import { SENDER, SIGNED, SIGNED_BY_SENTRY } from "./openapi.ts";
import type { HttpDeps } from "./types.ts";

/** How the sender of a webhook is checked: before the body is read, and where it signs, by the body as well. */
export type SenderCheck = {
  /** What the API's description says a caller must show. */
  security: readonly Record<string, readonly string[]>[];
  /** Throws for a caller that is not admitted whatever its body is. */
  before(request: FastifyRequest, deps: HttpDeps): void;
  /** Who sent it, or an error. Of the body it sees the bytes: only what is admitted is made into objects. */
  sender(request: FastifyRequest, body: Buffer, deps: HttpDeps): string;
  /** Whether a call may carry an `Idempotency-Key`: where alerts need not say when they began. */
  keys: boolean;
};

/** By the address of the socket, else a token. */
export const network: SenderCheck = {
  security: SENDER,
  before: (request, deps) => {
    request.sender = deps.checkSender(callOf(request));
  },
  sender: (request) => request.sender,
  keys: false,
};

type Signed = Pick<SenderCheck, "security" | "keys"> & {
  /** Its name in lower case. */
  header: string;
  check: (deps: HttpDeps) => SignatureCheck;
};

/** By a signature, from whatever network; where no secret is configured and none is needed, as `network`. */
function signed({ header, check, ...rest }: Signed): SenderCheck {
  const given = ({ headers }: FastifyRequest) => joined(headers[header]);
  return {
    ...rest,
    before: (request, deps) => check(deps).present(given(request)),
    sender: (request, body, deps) =>
      check(deps).of(body, given(request)) ?? deps.checkSender(callOf(request)),
  };
}

export const hmac = signed({
  header: "x-signature-256",
  check: (deps) => deps.checkSignature,
  security: SIGNED,
  keys: true,
});

export const sentrySignature = signed({
  header: "sentry-hook-signature",
  check: (deps) => deps.checkSentry,
  security: SIGNED_BY_SENTRY,
  keys: false,
});

/** By the routing key in the body, from whatever network; where none is configured and none is needed, as `network`. */
export const routingKey: SenderCheck = {
  security: SENDER,
  before: (request, deps) => {
    if (!deps.routingKeys().configured()) network.before(request, deps);
  },
  sender: (request, body, deps) =>
    deps.routingKeys().configured()
      ? deps.routingKeys().of(topLevelText(body, "routing_key"))
      : deps.checkSender(callOf(request)),
  keys: false,
};

const customNameOf = (request: FastifyRequest) => (request.params as { name: string }).name;

function customCheckOf(request: FastifyRequest, deps: HttpDeps): SecretCheck | null {
  const check = deps.customSender(customNameOf(request));
  if (check === undefined)
    throw new AwoooiError("not_found", "intake.custom has no source of the name in the path.");
  return check;
}

/** The mapped source that a request names in its path. Throws `not_found`: a name that anyone makes up is none. */
export function customSourceOf(request: FastifyRequest, deps: HttpDeps): string {
  customCheckOf(request, deps);
  return `custom:${customNameOf(request)}`;
}

const shownBy = (request: FastifyRequest, { header }: SecretCheck): Shown => ({
  authorization: request.headers.authorization,
  given: header === undefined ? undefined : joined(request.headers[header]),
  signature: joined(request.headers["x-signature-256"]),
});

/** By the secrets of the mapped source that is called; of one that has none, as `hmac`. */
export const secret: SenderCheck = {
  security: SIGNED,
  before: (request, deps) => {
    const check = customCheckOf(request, deps);
    if (check === null) hmac.before(request, deps);
    else check.before(shownBy(request, check));
  },
  sender: (request, body, deps) => {
    const check = customCheckOf(request, deps);
    return check === null ? hmac.sender(request, body, deps) : check.of(body, shownBy(request, check));
  },
  keys: true,
};
