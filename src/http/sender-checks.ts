import type { FastifyRequest } from "fastify";
import type { SignatureCheck } from "../intake/index.ts";
import { callOf, joined } from "./call.ts";
import { SENDER, SIGNED, SIGNED_BY_SENTRY } from "./openapi.ts";
import type { HttpDeps } from "./types.ts";

/** How the sender of a webhook is checked: before the body is read, and where it signs, by the body as well. */
export type SenderCheck = {
  /** What the API's description says a caller must show. */
  security: readonly Record<string, readonly string[]>[];
  /** Throws for a caller that is not admitted whatever its body is. */
  before(request: FastifyRequest, deps: HttpDeps): void;
  /** Who sent it, or an error. */
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
