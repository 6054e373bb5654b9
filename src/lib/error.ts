/**
 * Every error that a caller may see, with its HTTP status, the CLI's exit code and its title. The code
 * is also its anchor in docs/reference/errors.md. Exit codes: 1 failed, 2 wrong input, 3 not
 * allowed, 4 not found, 5 conflict, 6 unavailable.
 */
export const ERRORS = {
  unparsable: { status: 400, exit: 2, title: "The body cannot be parsed" },
  unauthenticated: { status: 401, exit: 3, title: "A valid token is needed" },
  signature_invalid: { status: 401, exit: 3, title: "A valid signature is needed" },
  forbidden: { status: 403, exit: 3, title: "Not allowed" },
  untrusted_sender: { status: 403, exit: 3, title: "The sender is not trusted" },
  from_web_page: { status: 403, exit: 3, title: "A web page may not call this" },
  not_found: { status: 404, exit: 4, title: "Not found" },
  method_not_allowed: { status: 405, exit: 2, title: "The method is not allowed here" },
  conflict: { status: 409, exit: 5, title: "Conflict with the current state" },
  plan_changed: { status: 409, exit: 5, title: "The plan has changed" },
  already_decided: { status: 409, exit: 5, title: "Already decided" },
  already_signed: { status: 409, exit: 5, title: "Already signed by this person" },
  not_ready: { status: 409, exit: 5, title: "Still being prepared" },
  expired: { status: 409, exit: 5, title: "Expired" },
  answered_once: { status: 409, exit: 5, title: "Already done, and answered once" },
  restart_needed: { status: 409, exit: 5, title: "A restart is needed" },
  too_large: { status: 413, exit: 2, title: "The body is too large" },
  unsupported_media_type: { status: 415, exit: 2, title: "The media type is not supported" },
  invalid: { status: 422, exit: 2, title: "The input is not valid" },
  idempotency_key_reused: { status: 422, exit: 5, title: "The key was used for another request" },
  internal: { status: 500, exit: 1, title: "Unexpected error" },
  overloaded: { status: 503, exit: 6, title: "Overloaded" },
  source_limited: { status: 503, exit: 6, title: "The source exceeds its limits" },
  unavailable: { status: 503, exit: 6, title: "Temporarily unavailable" },
} as const satisfies Record<string, { status: number; exit: number; title: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** A mistake in the input: `path` is the dotted path of the field, empty for the whole input. */
export type FieldError = { path: string; message: string };

/** An error with a code of {@link ERRORS}; its message is written for the caller to read. */
export class AwoooiError extends Error {
  readonly code: ErrorCode;
  readonly errors: readonly FieldError[];
  /** Seconds after which a retry makes sense; only with `overloaded`, `source_limited` and `unavailable`. */
  readonly retryAfter: number | undefined;

  constructor(
    code: ErrorCode,
    detail: string,
    more: { errors?: readonly FieldError[]; retryAfter?: number; cause?: unknown } = {},
  ) {
    super(detail, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = "AwoooiError";
    this.code = code;
    this.errors = more.errors ?? [];
    this.retryAfter = more.retryAfter;
  }
}

/**
 * Runs `work` without stack traces for the errors that it creates: refusals can come by the thousand a second, and
 * a trace costs more than everything else about them. `work` must be synchronous.
 */
export function withoutTraces<T>(work: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return work();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** Returns the message of anything thrown. For a failed query that of its cause: its own quotes every parameter. */
export function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return "params" in thrown && thrown.cause instanceof Error ? thrown.cause.message : thrown.message;
}
