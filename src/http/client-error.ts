import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { AwoooiError, ERRORS } from "../lib/error.ts";
import { problemOf } from "./error-handler.ts";

function toAwoooiError(code: string | undefined): AwoooiError {
  if (code === "HPE_HEADER_OVERFLOW")
    return new AwoooiError("too_large", "The headers are larger than this server accepts.");
  if (code === "ERR_HTTP_REQUEST_TIMEOUT")
    return new AwoooiError("unparsable", "The request was not received in time.");
  return new AwoooiError("unparsable", "This is not HTTP.");
}

/** Answers data that is not a valid HTTP request, on the socket itself, with a problem like any other; then closes it. */
export function answerClientError(thrown: Error & { code?: string }, socket: Socket): void {
  if (thrown.code === "ECONNRESET" || socket.destroyed) return;
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const error = toAwoooiError(thrown.code);
  const { status } = ERRORS[error.code];
  const body = JSON.stringify(problemOf(error));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "connection: close",
    "content-type: application/problem+json",
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n${body}`);
  // Closed for writing at once, so that further invalid data is not answered again.
  socket.destroySoon();
}
