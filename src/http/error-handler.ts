import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { hasZodFastifySchemaValidationErrors } from "fastify-type-provider-zod";
import type { Problem } from "../contract/common.ts";
import { hasState, isUnavailable } from "../db/failure.ts";
import { AwoooiError, ERRORS, type ErrorCode, type FieldError, messageOf } from "../lib/error.ts";
import type { Log } from "../lib/log.ts";
import { redactText, redactTexts } from "../lib/redact.ts";

const FASTIFY_CODES: Record<string, [ErrorCode, string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ["too_large", "The body is larger than this server accepts."],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    "unsupported_media_type",
    "Send JSON, as `content-type: application/json`.",
  ],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ["unparsable", "The body's length differs from its content-length."],
  FST_ERR_CTP_INVALID_JSON_BODY: ["unparsable", "The body is not JSON."],
  FST_ERR_BAD_URL: ["unparsable", "The path cannot be decoded."],
};

// PostgreSQL's codes for a time or number of the right form that no column can hold, such as year 0 or 10,000.
const OUT_OF_RANGE = ["22003", "22007", "22008", "22009"];

function fieldErrors(error: FastifyError): FieldError[] {
  return (error.validation ?? []).map((issue) => ({
    path: issue.instancePath.split("/").filter(Boolean).join("."),
    message: issue.message ?? "is not valid",
  }));
}

/** Converts any error into one that a caller may see; an unknown one becomes `internal`. */
export function toAwoooiError(error: unknown): AwoooiError {
  if (error instanceof AwoooiError) return error;
  if (hasZodFastifySchemaValidationErrors(error)) {
    return new AwoooiError("invalid", "Some fields are not valid.", { errors: fieldErrors(error) });
  }
  if (isUnavailable(error)) {
    return new AwoooiError("unavailable", "The database cannot be reached now; try again.", {
      retryAfter: 5,
    });
  }
  if (hasState(error, OUT_OF_RANGE)) {
    return new AwoooiError("invalid", "A time or a number is out of range.");
  }
  const { code, statusCode } = error as FastifyError;
  const known = FASTIFY_CODES[code];
  if (known !== undefined) return new AwoooiError(...known);
  if (error instanceof SyntaxError || (statusCode !== undefined && statusCode >= 400 && statusCode < 500)) {
    return new AwoooiError("unparsable", "The request cannot be parsed.");
  }
  return new AwoooiError("internal", "An unexpected error happened; the log has it under this reference.");
}

/** Returns the RFC 9457 body of an error. */
export function problemOf(error: AwoooiError, reference?: string): Problem {
  const { status, title } = ERRORS[error.code];
  return {
    type: `docs/reference/errors.md#${error.code}`,
    title,
    status,
    detail: redactText(error.message),
    code: error.code,
    ...(error.errors.length > 0 ? { errors: redactTexts([...error.errors]) } : {}),
    ...(reference === undefined ? {} : { reference }),
  };
}

/** Returns a handler that answers an error as a problem. The message of an unexpected error goes to the log only. */
export function errorHandler(log: Log) {
  return (thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const error = toAwoooiError(thrown);
    request.problem = error.code;
    const reference = error.code === "internal" ? request.id : undefined;
    if (reference !== undefined) {
      const text = messageOf(thrown);
      const trace = thrown instanceof Error ? thrown.stack?.replace(thrown.message, () => text) : undefined;
      const stack = redactText(trace ?? text);
      log.error(
        { reference, method: request.method, path: request.routeOptions?.url, stack },
        "a request failed unexpectedly",
      );
    }
    if (error.retryAfter !== undefined) reply.header("retry-after", String(error.retryAfter));
    if (error.code === "unauthenticated") reply.header("www-authenticate", "Bearer");
    return reply
      .status(ERRORS[error.code].status)
      .type("application/problem+json")
      .send(JSON.stringify(problemOf(error, reference)));
  };
}
