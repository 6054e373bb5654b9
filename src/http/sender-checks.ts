import type { FastifyRequest } from "fastify";
import { callOf, joined } from "./call.ts";
import { SENDER, SIGNED } from "./openapi.ts";
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

const signatureOf = ({ headers }: FastifyRequest) => joined(headers["x-signature-256"]);

/** By the address of the socket, else a token. */
export const network: SenderCheck = {
  security: SENDER,
  before: (request, deps) => {
    request.sender = deps.checkSender(callOf(request));
  },
  sender: (request) => request.sender,
  keys: false,
};

/** By HMAC, from whatever network; where no secret is configured and none is needed, as `network`. */
export const hmac: SenderCheck = {
  security: SIGNED,
  before: (request, deps) => deps.checkSignature.present(signatureOf(request)),
  sender: (request, body, deps) =>
    deps.checkSignature.of(body, signatureOf(request)) ?? deps.checkSender(callOf(request)),
  keys: true,
};
