import { clip } from "../../../../lib/clip.ts";
import { messageOf } from "../../../../lib/error.ts";

/** Why a request failed. */
export type Failure = {
  /** HTTP status of the API server's answer, if there was one. */
  status?: number;
  /** The API server's own reason, such as `NotFound`. */
  reason?: string;
  message: string;
  /** Seconds after which the server asks for a retry. */
  retryAfter?: number;
  /** False: the request certainly had no effect. */
  sent: boolean;
};

/** Thrown when a request is not sent at all, because its credentials are not available. */
export class NotSent extends Error {
  override readonly name = "NotSent";
}

// Errors before a connection exists, when nothing can have been sent.
const UNCONNECTED =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|UND_ERR_CONNECT_TIMEOUT|ERR_TLS_.*|CERT_.*|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_.*|ERR_SSL_.*|ERR_INVALID_URL)$/;

type Answer = { code: number; body: unknown; headers: Record<string, string> };
type Status = {
  message?: string;
  reason?: string;
  details?: { retryAfterSeconds?: number; causes?: { message?: string }[] };
};

// Recognised by its shape, because the library is loaded only if a cluster is configured.
function answerOf(error: unknown): Answer | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "number" && "headers" in error
    ? (error as unknown as Answer)
    : undefined;
}

function statusOf(body: unknown): Status {
  if (typeof body !== "string") return (body ?? {}) as Status;
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === "object" && parsed !== null ? (parsed as Status) : {};
  } catch {
    // Not the API server's JSON but, for example, a proxy's error page.
    return {};
  }
}

function ofAnswer({ code, body, headers }: Answer): Failure {
  const { message, reason, details = {} } = statusOf(body);
  const seconds = details.retryAfterSeconds ?? Number(headers["retry-after"]);
  const retryAfter = Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
  const causes = (details.causes ?? []).flatMap((one) => one.message ?? []);
  const more = causes.filter((one) => !message?.includes(one));
  const text = [message ?? `the API server answered ${code}`, ...more].join(": ");
  return {
    status: code,
    ...(reason === undefined ? {} : { reason }),
    message: plain(text),
    ...(retryAfter === undefined ? {} : { retryAfter }),
    // A server that sets Retry-After has not begun; any other 5xx may come after the effect.
    sent: code >= 500 && retryAfter === undefined,
  };
}

/**
 * Returns why a request failed, from whatever the client threw. Never uses the message of the library's
 * `ApiException`, which quotes headers.
 */
export function failureOf(error: unknown): Failure {
  const answer = answerOf(error);
  if (answer !== undefined) return ofAnswer(answer);
  if (error instanceof NotSent) return { message: plain(error.message), sent: false };
  if (error instanceof Error && error.name === "TimeoutError")
    return { message: "the API server did not answer in time: timed out", sent: true };
  if (error instanceof Error && error.name === "AbortError") return { message: "stopped", sent: true };
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const { code = "" } = cause as { code?: string };
  // Not a network error, but an unexpected one.
  if (code === "") return { message: plain(messageOf(cause)), sent: true };
  // The error for a host with several addresses has no message of its own.
  const said = messageOf(cause) || code;
  const message = `the API server cannot be reached: ${said.includes(code) ? said : `${said} (${code})`}`;
  return { message: plain(message), sent: !UNCONNECTED.test(code) };
}

/** Returns text from a cluster on one line, without control characters, cut to `max` characters. */
export function plain(text: string, max = 1_000): string {
  const clean = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").trim();
  return clip(clean, clean.length <= max ? max : max + 1);
}
